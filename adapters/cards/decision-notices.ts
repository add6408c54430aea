/** One sentence for the one person whose press of a button did nothing, saying why. */
import type { Transfer } from '../../core/transfer.ts';
import { type Card, type Line, person } from '../card.ts';
import { formatInstant, orList, shorten } from './wording.ts';

export type DecisionNotice =
  /** Somebody decided before: `transfer` is the record as it stands. */
  | { readonly kind: 'already_decided'; readonly transfer: Transfer }
  | { readonly kind: 'own_request' }
  | { readonly kind: 'not_approver'; readonly approvers: readonly string[] }
  | { readonly kind: 'plan_changed' }
  | { readonly kind: 'expired'; readonly transfer: Transfer }
  /** Forged, of an older version, or about a transfer that is no longer kept. */
  | { readonly kind: 'unknown_button' }
  | { readonly kind: 'not_yours_to_cancel' }
  /** A choice that was offered to somebody else. */
  | { readonly kind: 'not_your_question' }
  /** The transfer ended, or got too far, before the button was pressed. */
  | { readonly kind: 'too_late_to_cancel' }
  | { readonly kind: 'nothing_to_retry' };

/** Who decided, as a line and as plain text. */
function decided({ decision, status, approvalExpiresAt }: Transfer): { line: Line; sentence: string } {
  if (!decision) {
    const sentence =
      status === 'expired'
        ? `Nobody decided on this by ${formatInstant(approvalExpiresAt)}, so it expired.`
        : 'This was already decided.';
    return { line: [sentence], sentence };
  }
  const rest = ` had already ${decision.outcome} this, ${formatInstant(decision.at)}. Your press changed nothing.`;
  return { line: [person(decision.by), rest], sentence: `${shorten(decision.by.name)}${rest}` };
}

function words(notice: DecisionNotice): string {
  switch (notice.kind) {
    case 'already_decided':
      return decided(notice.transfer).sentence;
    case 'own_request':
      return 'You asked for this transfer yourself, so somebody else has to approve it.';
    case 'not_approver':
      return notice.approvers.length > 0
        ? `You may not decide on this transfer; ${orList(notice.approvers)} may.`
        : 'You may not decide on this transfer.';
    case 'plan_changed':
      return 'The plan has changed since this card was shown, so nothing was decided. Please look at the newest card.';
    case 'expired':
      return `The time to decide ended ${formatInstant(notice.transfer.approvalExpiresAt)}. Please have it asked for again.`;
    case 'unknown_button':
      return 'I do not know this button any more, so nothing was done. Ask me for “status” to see where things stand.';
    case 'not_yours_to_cancel':
      return 'Only the person who asked for this transfer, or one of its approvers, may cancel it.';
    case 'not_your_question':
      return 'I asked somebody else here. Mention me with your own request and I will help you.';
    case 'too_late_to_cancel':
      return 'This transfer has already ended, so there is nothing left to cancel.';
    case 'nothing_to_retry':
      return 'This transfer is not in a failed state, so there is nothing to try again.';
  }
}

/** The notice as a card to whisper. */
export function decisionNotice(notice: DecisionNotice): Card {
  const sentence = words(notice);
  const line: Line = notice.kind === 'already_decided' ? decided(notice.transfer).line : [sentence];
  return { fallback: sentence, elements: [{ type: 'text', lines: [line] }] };
}
