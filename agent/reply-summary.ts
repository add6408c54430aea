/** A reply in a few words, for the person's own memory: enough that "the second one" can be understood later. */
import type { Reply } from './planner.ts';

const MAX = 900;
const MAX_NAMES = 12;

function words(reply: Reply): string {
  switch (reply.kind) {
    case 'proposed':
      return `proposed ${reply.transferId}`;
    case 'transfers':
      return reply.transferIds.length === 0 ? 'no transfers' : `transfers: ${reply.transferIds.join(', ')}`;
    case 'list':
      return `${reply.title}: ${reply.items
        .slice(0, MAX_NAMES)
        .map(({ name }, index) => `${index + 1}. ${name}`)
        .join('; ')}`;
    case 'question':
      return `asked: ${reply.question} ${reply.choices.map(({ label }, index) => `${index + 1}. ${label}`).join('; ')}`;
    case 'refusal':
      return `refused: ${reply.reason}`;
    case 'answer':
      return reply.text;
    case 'help':
      return 'help';
  }
}

export const summarizeReply = (reply: Reply): string => words(reply).slice(0, MAX).toWellFormed();
