/** What each button does, for the person who pressed it: rights come from the signed click and the record. */

import type { Card } from '../adapters/card.ts';
import { decodeChoiceValue, decodeTransferValue } from '../adapters/cards/button-value.ts';
import {
  alreadyDecidedNotice,
  answerNotice,
  notForYouNotice,
  planChangedNotice,
  refusedNotice,
  tooLateNotice,
  unknownButtonNotice,
} from '../adapters/cards/decision-notices.ts';
import type { ActionEvent, MessageEvent } from '../adapters/chat-event.ts';
import type { Cancellation } from '../core/cancel.ts';
import type { Person } from '../core/person.ts';
import type { Retries } from '../core/retry.ts';
import type { Transfer } from '../core/transfer.ts';
import type { Approvals } from './approvals.ts';

export interface ButtonDeps {
  readonly approvals: Approvals;
  /** Puts an approved transfer on the queue. */
  readonly dispatch: (transferId: string) => Promise<unknown>;
  readonly cancel: Cancellation['cancel'];
  readonly retry: Retries['retry'];
  readonly settle: (transferId: string) => Promise<void>;
  /** Lets the presser see the decision on the card at once. */
  readonly showDecision: (event: ActionEvent, transfer: Transfer) => void;
  readonly statusCard: (person: Person, transferId: string) => Promise<Card>;
  readonly now: () => number;
  /** Works a message off that is of our own making, as if the person had typed it; no model reads it. */
  readonly say: (message: MessageEvent, signal: AbortSignal, again: boolean) => Promise<void>;
}

/**
 * Does what the button says.
 *
 * @returns a card for the presser alone, or undefined when the cards in the thread say it all
 */
export async function pressButton(
  deps: ButtonDeps,
  event: ActionEvent,
  signal: AbortSignal,
  again: boolean,
): Promise<Card | undefined> {
  const { person } = event;
  if (event.actionId === 'choose') {
    const choice = decodeChoiceValue(event.value);
    if (!choice) return unknownButtonNotice();
    if (choice.userId !== person.userId) return notForYouNotice();
    const { actionId, value, message, alone = false, ...common } = event;
    await deps.say(
      // What answers a command goes on as one: for the asker alone, but for a proposal.
      { ...common, kind: 'message', command: alone, text: choice.text, truncated: false },
      signal,
      again,
    );
    return undefined;
  }

  const target = decodeTransferValue(event.value);
  if (!target) return unknownButtonNotice();
  const { transferId, planHash } = target;
  switch (event.actionId) {
    case 'approve':
    case 'reject':
      return decide(
        deps,
        event,
        event.actionId === 'approve' ? 'approved' : 'rejected',
        transferId,
        planHash,
      );
    case 'cancel':
    case 'retry': {
      const wish = await deps[event.actionId](person, transferId);
      if (wish.outcome === 'refused' || wish.outcome === 'not found') return refusedNotice(wish.text);
      await deps.settle(transferId);
      return answerNotice(wish.text);
    }
    case 'status':
      return deps.statusCard(person, transferId);
  }
}

async function decide(
  deps: ButtonDeps,
  event: ActionEvent,
  verdict: 'approved' | 'rejected',
  transferId: string,
  planHash: string,
): Promise<Card | undefined> {
  const { person } = event;
  const decision = await deps.approvals.decide(person, verdict, transferId, planHash);
  switch (decision.outcome) {
    case 'decided':
      deps.showDecision(event, decision.transfer);
      if (verdict === 'approved') await deps.dispatch(transferId);
      await deps.settle(transferId);
      return undefined;
    case 'closed': {
      const { transfer } = decision;
      const isTheirs =
        transfer.decision?.by.userId === person.userId && transfer.decision.outcome === verdict;
      if (isTheirs) deps.showDecision(event, transfer);
      // A click that was redelivered after a crash: its decision stands, what followed may be missing.
      if (transfer.status === 'approved') await deps.dispatch(transferId);
      await deps.settle(transferId);
      return isTheirs ? undefined : alreadyDecidedNotice(transfer, deps.now());
    }
    case 'expired':
      await deps.settle(transferId);
      return tooLateNotice(decision.transfer);
    case 'plan changed':
      return planChangedNotice(decision.transfer);
    case 'refused':
      return refusedNotice(decision.reason);
    case 'unknown':
      return unknownButtonNotice();
  }
}
