/** Where what a person asks for can be approved: somewhere that others read, and may press the buttons. */
import type { MessageEvent } from '../adapters/chat-event.ts';
import type { Turn } from '../agent/planner.ts';
import { canBeDecidedIn } from '../core/policy.ts';
import { directoryOfThread, type ThreadRef } from '../core/thread-ref.ts';

type Place = Pick<Turn, 'proposalThread' | 'noApproval'>;

/**
 * The thread itself; for a direct message, which nobody else reads, the approvals channel, unless nobody there could
 * tell that they are not the requester: they would wait for a decision until it expires.
 *
 * @param channel the policy's channel for approvals, if it names one
 */
export function placeOfApproval(
  { scope, thread, person }: Pick<MessageEvent, 'scope' | 'thread' | 'person'>,
  channel: ThreadRef | undefined,
): Place {
  if (scope !== 'dm') return { proposalThread: thread };
  if (!channel) {
    return {
      proposalThread: undefined,
      noApproval: {
        reason: 'Nobody else reads our direct messages, so nobody could approve this here.',
        advice: 'Please ask in a channel by mentioning me.',
      },
    };
  }
  if (canBeDecidedIn(directoryOfThread(channel), person)) return { proposalThread: channel };
  return {
    proposalThread: undefined,
    noApproval: {
      reason:
        'Nobody could approve this: what is asked for in direct messages is approved in a channel of another chat or organisation, and your account here has no email address that I may trust, so nobody there could be told apart from you.',
      advice: 'Please ask in a channel of your own organisation here by mentioning me. Nothing was proposed.',
    },
  };
}
