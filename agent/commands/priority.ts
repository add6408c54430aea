/** Takes what a sentence says about urgency out of it. */
import type { Request } from './command.ts';
import { type Token, word } from './tokenize.ts';

const URGENCY = new Set(['high', 'urgent', 'top', 'highest']);
const CALM = new Set(['normal', 'low', 'standard', 'regular', 'default']);

/** Takes the words about urgency out of the sentence. */
export function takePriority(tokens: readonly Token[]): { priority: Request['priority']; rest: Token[] } {
  let priority: Request['priority'] = 'normal';
  const rest: Token[] = [];
  const drop = () => {
    while (['with', 'at', 'as', 'and', 'a', 'is', 'in', 'of'].includes(word(rest.at(-1)))) rest.pop();
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const said = word(token);
    const stated = /^priority[=:]([a-z]+)$/.exec(said)?.[1];
    const nextAt = ['is', '=', ':'].includes(word(tokens[at + 1])) ? at + 2 : at + 1;
    const next = stated ?? word(tokens[nextAt]);
    const before = word(rest.at(-1));
    if (stated || (said === 'priority' && (URGENCY.has(next) || CALM.has(next)))) {
      if (URGENCY.has(next)) priority = 'high';
      drop();
      if (!stated) at = nextAt;
    } else if (said === 'priority' && (URGENCY.has(before) || CALM.has(before))) {
      if (URGENCY.has(before)) priority = 'high';
      rest.pop();
      drop();
    } else if (
      ['urgently', 'asap', 'immediately'].includes(said) ||
      (said === 'urgent' && (at === 0 || at === tokens.length - 1))
    ) {
      priority = 'high';
      drop();
    } else {
      rest.push(token);
    }
  }
  return { priority, rest };
}
