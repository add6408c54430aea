/** One turn of a conversation: a message goes to a planner, and its reply to where it may be seen. */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Card } from '../adapters/card.ts';
import { progressCard } from '../adapters/cards/progress-card.ts';
import { proposalCard } from '../adapters/cards/proposal-card.ts';
import {
  answerCard,
  helpCard,
  listCard,
  questionCard,
  refusalCard,
  withNote,
} from '../adapters/cards/reply-cards.ts';
import { statusCard } from '../adapters/cards/status-card.ts';
import { type ChatClients, clientFor, type PostOptions } from '../adapters/chat-client.ts';
import type { ActionEvent, ChatEvent, MessageEvent } from '../adapters/chat-event.ts';
import { MAX_TEXT } from '../adapters/chat-event.ts';
import type { Planner, Reply } from '../agent/planner.ts';
import { summarizeReply } from '../agent/reply-summary.ts';
import { FerryError } from '../core/errors.ts';
import type { Person } from '../core/person.ts';
import { exampleRequest, isSamePerson, maySee, mayUse, type RequestScope } from '../core/policy.ts';
import type { PolicyConfig } from '../core/policy-config.ts';
import type { TransferStore } from '../core/stores/transfer-store.ts';
import type { ThreadRef } from '../core/thread-ref.ts';
import type { Transfer } from '../core/transfer.ts';
import { placeOfApproval } from './approval-place.ts';
import { createDraft, type Draft } from './draft.ts';

export interface ConversationDeps {
  readonly planner: Planner;
  readonly clients: ChatClients;
  readonly store: TransferStore;
  readonly policy: PolicyConfig;
  readonly loadScope: (transfer: Transfer) => Promise<RequestScope>;
  /** Who may decide on a transfer, in words for people. */
  readonly approversOf: (transfer: Transfer) => Promise<readonly string[]>;
  readonly settle: (transferId: string) => Promise<void>;
  /** Where proposals from direct messages are approved; undefined when the policy names no channel. */
  readonly approvalChannel: ThreadRef | undefined;
  /** Remembers what was said, for the person's next turn. */
  readonly remember: (message: MessageEvent, summary: string) => Promise<void>;
  readonly now: () => number;
  readonly log: Logger;
}

/** What everybody in the channel may see; anything else goes to the asker alone. */
const PUBLIC: readonly Reply['kind'][] = ['proposed', 'refusal', 'help', 'answer'];
const isPublic = (reply: Reply) =>
  PUBLIC.includes(reply.kind) && !(reply.kind === 'answer' && reply.personal === true);

/** The mark of a reply to an event, so that a recovered turn finds what it had posted. */
const replyKey = (event: ChatEvent) =>
  `reply/${createHash('sha256').update(event.key).digest('hex').slice(0, 24)}`;

export interface Conversation {
  /**
   * Works a message off.
   *
   * @param again whether an earlier process may have replied already
   */
  say(
    message: MessageEvent,
    signal: AbortSignal,
    again: boolean,
    /** `exact`: the words are our own, from a button, and are for the fixed rules. */
    words?: 'exact' | 'typed',
  ): Promise<void>;
  /** The transfer, if there is one and this person may see it. */
  visibleTo(person: Person, transferId: string): Promise<Transfer | undefined>;
  /** The card that tells this person how a transfer stands, or why not. */
  statusFor(person: Person, transferId: string): Promise<Card>;
  /** Lets who decided see it on the card at once, whoever edits the message. */
  showDecision(event: ActionEvent, transfer: Transfer): void;
  /** Shows a card to the person who caused the event, and to nobody else; `again` as for `say`. */
  tell(event: ChatEvent, card: Card, again: boolean): Promise<void>;
  /** Says that the turn failed. */
  apologize(event: ChatEvent, error: FerryError): Promise<void>;
}

export function createConversation(deps: ConversationDeps): Conversation {
  const { clients, store, policy } = deps;

  function clientOf(event: ChatEvent) {
    const client = clientFor(clients, event.thread);
    if (!client) throw new Error(`no chat client for ${event.thread.platform}`);
    return client;
  }

  /** In the thread; directly to the person where FileFerry may not write, so that they are not left without a word. */
  async function postOrDm(event: ChatEvent, card: Card, options: PostOptions): Promise<void> {
    const client = clientOf(event);
    try {
      const posted = await client.post(event.thread, card, options);
      // What an earlier process had posted may have been an answer that was still growing.
      if (options.lookFirst) await client.update(posted, card);
    } catch (error) {
      if (!(error instanceof FerryError) || error.code !== 'not_found') throw error;
      await client.dm(event.person.userId, card, options);
    }
  }

  async function reply(
    event: MessageEvent,
    card: Card,
    toAll: boolean,
    again: boolean,
    draft?: Draft,
  ): Promise<void> {
    if (await draft?.finish(card)) return;
    // Nobody but the asker saw the command, so nobody else would know what the answer is about.
    if (event.scope === 'dm' || (toAll && !event.command)) {
      await postOrDm(event, card, { key: replyKey(event), lookFirst: again });
    } else {
      await clientOf(event).whisper(event.thread, event.person.userId, card);
    }
  }

  /** The requester's own transfers need no look at their keys. */
  async function maySeeIt(person: Person, transfer: Transfer): Promise<boolean> {
    if (isSamePerson(person, transfer.requester)) return true;
    return maySee(policy, person, transfer, await deps.loadScope(transfer)).allowed;
  }

  async function visible(person: Person, transferIds: readonly string[]): Promise<Transfer[]> {
    const transfers = await Promise.all(transferIds.map((id) => store.get(id)));
    const allowed = await Promise.all(
      transfers.map(async (transfer) => (transfer && (await maySeeIt(person, transfer)) ? [transfer] : [])),
    );
    return allowed.flat();
  }

  /** Its examples name what this person may use, so that they work as they stand. */
  function helpFor(person: Person): Card {
    return helpCard(exampleRequest(policy, person));
  }

  async function detailCard(transfer: Transfer): Promise<Card> {
    return transfer.status === 'pending_approval'
      ? proposalCard(transfer, {
          approvers: await deps.approversOf(transfer),
          now: deps.now(),
          aside: true,
        })
      : progressCard(transfer, deps.now(), { aside: true });
  }

  async function cardOf(event: MessageEvent, answer: Exclude<Reply, { kind: 'proposed' }>): Promise<Card> {
    switch (answer.kind) {
      case 'transfers': {
        const transfers = await visible(event.person, answer.transferIds);
        const [only] = transfers;
        if (only && answer.transferIds.length === 1) return detailCard(only);
        return statusCard({
          title: answer.title,
          transfers: await Promise.all(
            transfers.map(async (transfer) => ({ transfer, approvers: await deps.approversOf(transfer) })),
          ),
          empty: answer.empty,
          now: deps.now(),
        });
      }
      case 'list':
        return listCard(answer);
      case 'question':
        return questionCard(answer, event.person.userId);
      case 'refusal':
        return refusalCard(answer);
      case 'answer':
        return answerCard(answer.text);
      case 'help':
        return helpFor(event.person);
    }
  }

  async function propose(
    event: MessageEvent,
    transferId: string,
    again: boolean,
    draft: Draft | undefined,
  ): Promise<void> {
    await deps.settle(transferId);
    const transfer = await store.get(transferId);
    if (!transfer || event.scope !== 'dm') return;
    const sentence = `I asked for approval of ${transferId} in the approvals channel, because nobody else reads our direct messages.`;
    await reply(event, answerCard(sentence), true, again, draft);
  }

  /** Has the turn planned, and shows and remembers what came of it. */
  async function work(
    event: MessageEvent,
    signal: AbortSignal,
    again: boolean,
    byRules: boolean,
    draft: Draft | undefined,
  ): Promise<void> {
    const answer = await deps.planner.plan(
      {
        key: event.key,
        person: event.person,
        thread: event.thread,
        ...placeOfApproval(event, deps.approvalChannel),
        command: byRules,
        text: event.text,
        at: event.receivedAt,
        ...(draft ? { draft: draft.show } : {}),
      },
      signal,
    );
    deps.log.info({ event: event.key, user: event.person.userId, reply: answer.kind }, 'turn worked out');
    if (answer.kind === 'proposed') {
      await propose(event, answer.transferId, again, draft);
      if (answer.note && event.scope !== 'dm') await reply(event, answerCard(answer.note), false, again);
    } else {
      await reply(event, withNote(await cardOf(event, answer), answer.note), isPublic(answer), again, draft);
    }
    if (answer.unremembered) return;
    await deps
      .remember(event, summarizeReply(answer))
      .catch((err: unknown) => deps.log.warn({ err }, 'could not remember the exchange'));
  }

  return {
    async say(event, signal, again, words = 'typed') {
      const byRules = event.command || words === 'exact';
      const use = mayUse(policy, event.person);
      if (!use.allowed) {
        await reply(event, refusalCard({ reason: use.reason }), false, again);
        return;
      }
      if (event.truncated) {
        const reason = `This message is longer than the ${MAX_TEXT} characters that I read at once. Nothing was done.`;
        await reply(
          event,
          refusalCard({ reason, advice: 'Please name the files by a prefix or a pattern instead.' }),
          true,
          again,
        );
        return;
      }
      const thinks = deps.planner.name === 'bedrock' && !byRules;
      // In a channel the answer is for the asker alone, and such a message can neither grow nor be edited.
      const draft =
        thinks && event.scope === 'dm' && !again
          ? createDraft({
              client: clientOf(event),
              thread: event.thread,
              key: replyKey(event),
              log: deps.log,
            })
          : undefined;
      if (thinks) {
        void Promise.resolve(clientOf(event).thinking?.(event.thread)).then((isShown) => {
          if (!isShown) draft?.think();
        });
      }
      try {
        await work(event, signal, again, byRules, draft);
      } catch (error) {
        await draft
          ?.finish(answerCard('This answer was cut off.'))
          .catch((err: unknown) => deps.log.warn({ err }, 'could not end an answer that was cut off'));
        throw error;
      }
    },

    async visibleTo(person, transferId) {
      const [transfer] = await visible(person, [transferId]);
      return transfer;
    },

    async statusFor(person, transferId) {
      const [transfer] = await visible(person, [transferId]);
      return transfer
        ? detailCard(transfer)
        : refusalCard({ reason: `There is no transfer ${transferId} that you may see.` });
    },

    showDecision(event, transfer) {
      const client = clientFor(clients, event.message);
      client?.refresh?.(event.message, proposalCard(transfer, { approvers: [], now: deps.now() }));
    },

    async tell(event, card, again) {
      const client = clientOf(event);
      if (event.scope === 'dm')
        await client.post(event.thread, card, { key: replyKey(event), lookFirst: again });
      else await client.whisper(event.thread, event.person.userId, card);
    },

    async apologize(event, error) {
      const card = refusalCard({ reason: error.userMessage });
      await postOrDm(event, card, { key: `${replyKey(event)}/failed` });
    },
  };
}
