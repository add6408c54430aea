/** Keeps a transfer's messages in step with its record: what should be posted, edited or closed, and doing it. */
import type { Logger } from 'pino';
import { postedAs, wantedRoles } from '../core/due-work.ts';
import { FerryError, toFerryError } from '../core/errors.ts';
import { newReference } from '../core/ids.ts';
import type { ObjectStore } from '../core/stores/object-store.ts';
import { type MessageRef, repliesTo } from '../core/thread-ref.ts';
import type { MessageRole, PostedMessage, Transfer } from '../core/transfer.ts';
import { lastSeq } from '../core/transfer-state.ts';
import type { Card } from './card.ts';
import { outcomeCard, supersededOutcomeCard } from './cards/outcome-card.ts';
import { progressCard } from './cards/progress-card.ts';
import { proposalCard } from './cards/proposal-card.ts';
import { type ChatClient, type ChatClients, clientFor, type PostOptions } from './chat-client.ts';
import type { SyncCards } from './settle.ts';

/** One thing to do about a transfer's messages. */
export type CardWork =
  | { readonly kind: 'post'; readonly role: MessageRole }
  | { readonly kind: 'update'; readonly role: MessageRole; readonly posted: PostedMessage }
  /** The outcome of an attempt that was retried: loses its button, and is forgotten. */
  | { readonly kind: 'close'; readonly role: 'outcome'; readonly posted: PostedMessage };

const attemptOf = (message: PostedMessage) => message.attempt ?? 1;

/** What has to be done so that the thread shows the record as it stands, in the order in which people read it. */
export function cardWork(transfer: Transfer): CardWork[] {
  const work: CardWork[] = transfer.messages
    .filter((message) => message.role === 'outcome' && attemptOf(message) < transfer.attempt)
    .map((posted) => ({ kind: 'close', role: 'outcome', posted }));
  for (const role of wantedRoles(transfer)) {
    const posted = postedAs(transfer, role);
    if (!posted) work.push({ kind: 'post', role });
    else if (posted.shownThrough < lastSeq(transfer)) work.push({ kind: 'update', role, posted });
  }
  return work;
}

/** The key by which a message is found again; see `PostOptions.key`. */
export function messageKey(transfer: Transfer, role: MessageRole): string {
  return `${transfer.transferId}/${role}${role === 'outcome' ? `/${transfer.attempt}` : ''}`;
}

const isGone = (error: unknown) => error instanceof FerryError && error.code === 'not_found';

/** What a message becomes when FileFerry may not write in the thread where it belongs. */
function movedToDirectMessages(card: Card): Card {
  return {
    ...card,
    elements: [
      ...card.elements,
      {
        type: 'context',
        lines: [
          ['⚠️ I could not post this where you asked. Please invite me there, so that others can see it too.'],
        ],
      },
    ],
  };
}

function requireClient(clients: ChatClients, where: Parameters<typeof clientFor>[1]): ChatClient {
  const client = clientFor(clients, where);
  if (client) return client;
  throw new FerryError('unavailable', { userMessage: 'This chat platform is not configured here.' });
}

/** Where a message stands now, and where replies belong after it: a card posted to a channel begins the thread. */
interface Shown {
  readonly ref: MessageRef;
  readonly thread: Transfer['thread'];
}

export interface AnnouncerDeps {
  readonly clients: ChatClients;
  readonly objects: Pick<ObjectStore, 'read'>;
  /** Who may decide on the transfer, in words for people, such as group names. */
  readonly approversOf: (transfer: Transfer) => readonly string[] | Promise<readonly string[]>;
  /** Whether this person wants to hear the outcome by direct message as well. */
  readonly wantsDirect?: (userId: string) => Promise<boolean>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Posts and edits the messages of a transfer. A fault of the platform is logged and leaves them behind, to be
 * tried again; it is never thrown. One caller at a time per transfer: see `createSettler`.
 */
export function createAnnouncer(deps: AnnouncerDeps): SyncCards {
  const { clients, now } = deps;

  /** Where the first files landed; only a numbered name differs from the plan. */
  async function finalPaths(transfer: Transfer): Promise<string[] | undefined> {
    const { status, plan } = transfer;
    if (status !== 'completed' || plan.existing !== 'rename') return undefined;
    const paths: string[] = [];
    for await (const { progress, targetPath } of deps.objects.read(transfer)) {
      paths.push(progress.state === 'done' ? progress.finalPath : targetPath);
      if (paths.length === plan.preview.length) break;
    }
    return paths;
  }

  async function cardFor(transfer: Transfer, role: MessageRole): Promise<Card> {
    switch (role) {
      case 'approval': {
        const approvers = transfer.status === 'pending_approval' ? await deps.approversOf(transfer) : [];
        return proposalCard(transfer, { approvers, now: now() });
      }
      case 'progress':
        return progressCard(transfer, now());
      case 'outcome': {
        const paths = await finalPaths(transfer);
        return outcomeCard(transfer, paths ? { finalPaths: paths } : {});
      }
    }
  }

  /** The outcome once more, for somebody who said that they want it so. Best effort: the thread has it. */
  async function tellDirectly(transfer: Transfer, card: Card, options: PostOptions): Promise<void> {
    const { userId } = transfer.requester;
    try {
      if (!(await deps.wantsDirect?.(userId))) return;
      // The button stays in the thread, where everybody sees what becomes of it.
      const elements = card.elements.filter(({ type }) => type !== 'actions');
      const key = `${options.key}/dm`;
      await requireClient(clients, userId).dm(userId, { ...card, elements }, { ...options, key });
    } catch (err) {
      deps.log.info({ err, transferId: transfer.transferId }, 'the outcome was not sent directly as well');
    }
  }

  async function post(transfer: Transfer, role: MessageRole, lookFirst: boolean): Promise<Shown> {
    const card = await cardFor(transfer, role);
    const options = { key: messageKey(transfer, role), lookFirst };
    const { thread } = transfer;
    try {
      const client = requireClient(clients, thread);
      const ref = await client.post(thread, card, options);
      // A message that was found instead of posted may show an older state.
      if (lookFirst) await client.update(ref, card);
      if (role === 'outcome') await tellDirectly(transfer, card, options);
      return { ref, thread: repliesTo({ thread, messageId: ref.messageId }) };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    const { userId } = transfer.requester;
    const ref = await requireClient(clients, userId).dm(userId, movedToDirectMessages(card), options);
    deps.log.warn(
      { transferId: transfer.transferId, role },
      'may not write in the thread; sent a direct message',
    );
    return { ref, thread };
  }

  /** Edits a message; one that somebody deleted is posted again, unless it only records what was decided. */
  async function update(transfer: Transfer, role: MessageRole, posted: PostedMessage): Promise<Shown> {
    const card = await cardFor(transfer, role);
    try {
      await requireClient(clients, posted.ref).update(posted.ref, card);
      return { ref: posted.ref, thread: transfer.thread };
    } catch (error) {
      if (!isGone(error)) throw error;
      if (role !== 'approval' || transfer.status === 'pending_approval') return post(transfer, role, true);
      return { ref: posted.ref, thread: transfer.thread };
    }
  }

  async function close(transfer: Transfer, posted: PostedMessage): Promise<void> {
    try {
      const card = supersededOutcomeCard(transfer, attemptOf(posted));
      await requireClient(clients, posted.ref).update(posted.ref, card);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  return async (transfer, mayHaveBeenPosted) => {
    let { messages, thread } = transfer;
    let unsure = false;
    for (const work of cardWork(transfer)) {
      const { role } = work;
      try {
        if (work.kind === 'close') {
          await close(transfer, work.posted);
          messages = messages.filter((message) => message !== work.posted);
          continue;
        }
        const shown =
          work.kind === 'post'
            ? await post({ ...transfer, thread }, role, mayHaveBeenPosted)
            : await update({ ...transfer, thread }, role, work.posted);
        const before = work.kind === 'update' ? work.posted : undefined;
        messages = [
          ...messages.filter((message) => message !== before),
          {
            role,
            ...(role === 'outcome' ? { attempt: transfer.attempt } : {}),
            ref: shown.ref,
            shownThrough: lastSeq(transfer),
          },
        ];
        thread = shown.thread;
      } catch (thrown) {
        unsure = true;
        const error = toFerryError(thrown, newReference());
        deps.log.warn(
          { transferId: transfer.transferId, role, code: error.code, err: thrown },
          'a message is behind its transfer',
        );
        // The platform is away: the other messages would only wait for the same.
        if (error.retryable) break;
      }
    }
    return { messages, thread, unsure };
  };
}
