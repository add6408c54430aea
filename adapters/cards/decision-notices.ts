/** One or two sentences for the one person who pressed a button: why nothing happened, or what did. */
import { shownText } from '../../core/shown-text.ts';
import type { Transfer } from '../../core/transfer.ts';
import { type Card, type Line, person } from '../card.ts';
import { formatInstant } from './wording.ts';

const notice = (fallback: string, line: Line = [fallback]): Card => ({
  fallback,
  elements: [{ type: 'text', lines: [line] }],
});

/** Somebody was faster: who decided what, and when. */
export function alreadyDecidedNotice(transfer: Transfer, now: number): Card {
  const { decision, status, approvalExpiresAt } = transfer;
  if (decision) {
    const rest = ` already ${decision.outcome === 'withdrawn' ? 'withdrew' : decision.outcome} this, ${formatInstant(decision.at)}. Your click changed nothing.`;
    return notice(`${shownText(decision.by.name)}${rest}`, [person(decision.by), rest]);
  }
  if (status === 'expired' || approvalExpiresAt <= now) return tooLateNotice(transfer);
  return notice('This request is closed already. Your click changed nothing.');
}

/** Nobody decided while there was time. */
export function tooLateNotice({ approvalExpiresAt }: Transfer): Card {
  return notice(
    `This request expired ${formatInstant(approvalExpiresAt)}, before anybody decided. Nothing was sent; it can be asked for again.`,
  );
}

/** The card showed another plan than the record now has. */
export function planChangedNotice({ transferId }: Transfer): Card {
  return notice(
    `The plan of ${transferId} has changed since this card was shown, so nothing was decided. Please look at the newest card.`,
  );
}

/** The policy says no: it is the requester, a stranger, or somebody who may not cancel. */
export function refusedNotice(reason: string): Card {
  return notice(`⚠️ ${shownText(reason, 600)}`);
}

/** The value was forged, is of an older version, or its transfer is no longer kept. */
export function unknownButtonNotice(): Card {
  return notice(
    'I do not know this button any more, so nothing was done. Say “status” to see where things stand.',
  );
}

/** A choice that was offered to somebody else. */
export function notForYouNotice(): Card {
  return notice('This question was for somebody else. Tell me what you need, and I will ask you.');
}

/** What the press came to, in a sentence of the bot's. */
export function answerNotice(message: string): Card {
  return notice(shownText(message, 600));
}
