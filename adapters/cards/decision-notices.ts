/** One or two sentences for the one person whose press of a button did nothing, saying why. */
import { shownText } from '../../core/shown-text.ts';
import type { Transfer } from '../../core/transfer.ts';
import { type Card, type Line, person } from '../card.ts';
import { formatInstant } from './wording.ts';

/** Why a press did nothing; what the policy refuses is said in its own words, with `refusalCard`. */
export type DecisionNotice =
  /** Somebody was faster, or nobody was in time: `transfer` is the record as it stands. */
  | { readonly kind: 'already_decided'; readonly transfer: Transfer }
  | { readonly kind: 'expired'; readonly transfer: Transfer }
  /** The card showed another plan than the record now has. */
  | { readonly kind: 'plan_changed' }
  /** Forged, of an older version, or about a transfer that is no longer kept. */
  | { readonly kind: 'unknown_button' }
  /** A choice that was offered to somebody else. */
  | { readonly kind: 'not_your_question' };

const card = (fallback: string, line: Line = [fallback]): Card => ({
  fallback,
  elements: [{ type: 'text', lines: [line] }],
});

const expired = ({ approvalExpiresAt }: Transfer) =>
  card(
    `This request expired ${formatInstant(approvalExpiresAt)}, before anybody decided. Nothing was sent; it can be asked for again.`,
  );

function alreadyDecided(transfer: Transfer): Card {
  const { decision, status } = transfer;
  if (decision) {
    const verb = decision.outcome === 'withdrawn' ? 'withdrew' : decision.outcome;
    const rest = ` already ${verb} this, ${formatInstant(decision.at)}. Your click changed nothing.`;
    return card(`${shownText(decision.by.name)}${rest}`, [person(decision.by), rest]);
  }
  return status === 'expired'
    ? expired(transfer)
    : card('This request is closed already. Your click changed nothing.');
}

/** The notice as a card to show to the presser alone. */
export function decisionNotice(notice: DecisionNotice): Card {
  switch (notice.kind) {
    case 'already_decided':
      return alreadyDecided(notice.transfer);
    case 'expired':
      return expired(notice.transfer);
    case 'plan_changed':
      return card(
        'The plan has changed since this card was shown, so nothing was decided. Please look at the newest card.',
      );
    case 'unknown_button':
      return card(
        'I do not know this button any more, so nothing was done. Say “status” to see where things stand.',
      );
    case 'not_your_question':
      return card('This question was for somebody else. Tell me what you need, and I will ask you.');
  }
}
