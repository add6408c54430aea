/** What every platform's ChatClient must do: the suite that a new platform passes before it is used. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../../adapters/card.ts';
import type { ChatClient } from '../../adapters/chat-client.ts';
import type { FerryError } from '../../core/errors.ts';
import type { MessageRef, ThreadRef } from '../../core/thread-ref.ts';
import { SAMPLE_CARDS } from '../fixtures/cards.ts';

export interface ShownMessage {
  readonly messageId: string;
  /** All that it shows, in one string. */
  readonly shown: string;
}

/** The platform behind the client, as the suite needs it; a fake at the socket. */
export interface ChatClientHarness {
  readonly client: ChatClient;
  /** A second client of the same bot, as another process would have it. */
  readonly otherClient: ChatClient;
  /** A thread in which the bot may write and Ana and Bob read. */
  readonly thread: ThreadRef;
  /** A thread in a place that is not there or where the bot may not write. */
  readonly closedThread: ThreadRef;
  readonly ana: string;
  readonly bob: string;
  /** Somebody who is not where the thread is. */
  readonly cleo: string;
  /**
   * Whether the platform lets the client look for a message of its own. Where it does not, a post whose answer was
   * lost is posted twice rather than not at all.
   */
  readonly canLook: boolean;
  /** Messages of the thread as this person sees them. */
  messages(thread: ThreadRef, viewer: string): Promise<readonly ShownMessage[]>;
  /** What was whispered to this person about the thread, wherever the platform shows it. */
  whispers(thread: ThreadRef, viewer: string): Promise<readonly ShownMessage[]>;
  /** Direct messages of this person with the bot. */
  directMessages(userId: string): Promise<readonly ShownMessage[]>;
  /** Somebody deletes the message. */
  remove(message: MessageRef): void;
  /** The next post or edit is refused with a wait of this many seconds, as often as said. */
  throttle(seconds: number, times: number): void;
  /** The next post arrives, but its answer never comes. */
  loseNextAnswer(): void;
  /** The next post fails before anything is done. */
  failNextPost(): void;
  close(): Promise<void>;
}

const simple: Card = { fallback: 'Hello', elements: [{ type: 'text', lines: [['Hello there']] }] };
const changed: Card = { fallback: 'Changed', elements: [{ type: 'text', lines: [['Changed it']] }] };

const code = async (work: Promise<unknown>): Promise<Pick<FerryError, 'code' | 'retryable'>> =>
  work.then(
    () => {
      throw new Error('expected it to be refused');
    },
    ({ name, code, retryable, userMessage }: FerryError) => {
      expect(name).toBe('FerryError');
      expect(userMessage).toMatch(/\.$/);
      return { code, retryable };
    },
  );

export function describeChatClientContract(
  name: string,
  makeHarness: () => Promise<ChatClientHarness>,
): void {
  describe(`${name} as a chat client`, () => {
    let harness: ChatClientHarness;
    let client: ChatClient;
    let thread: ThreadRef;
    const shown = async (): Promise<string[]> =>
      (await harness.messages(thread, harness.ana)).map((message) => message.shown);

    beforeEach(async () => {
      harness = await makeHarness();
      ({ client, thread } = harness);
    });
    afterEach(() => harness.close());

    it('posts into the thread', async () => {
      const ref = await client.post(thread, simple, { key: 'TRF-1/hello' });
      expect(ref.thread).toEqual(thread);
      expect(await harness.messages(thread, harness.ana)).toMatchObject([
        { messageId: ref.messageId, shown: expect.stringContaining('Hello there') },
      ]);
    });

    it.each(Object.entries(SAMPLE_CARDS))('posts and edits the card %s', async (_, card) => {
      const ref = await client.post(thread, card, { key: 'TRF-1/card' });
      await client.update(ref, card);
      expect(await shown()).toHaveLength(1);
    });

    it('edits a message in place, also one that another process posted', async () => {
      const ref = await client.post(thread, simple, { key: 'TRF-1/hello' });
      const stored = JSON.parse(JSON.stringify(ref)) as MessageRef;
      await harness.otherClient.update(stored, changed);
      expect(await shown()).toEqual([expect.stringContaining('Changed it')]);
      expect((await shown()).join()).not.toContain('Hello there');
    });

    it('looks for the message first when asked to, and finds it after an edit too', async () => {
      const key = 'TRF-1/hello';
      const first = await client.post(thread, simple, { key });
      await harness.otherClient.update(first, changed);
      const again = await client.post(thread, simple, { key, lookFirst: true });
      expect(again).toEqual(first);
      const other = await client.post(thread, simple, { key: 'TRF-2/hello', lookFirst: true });
      expect(other.messageId).not.toBe(first.messageId);
      expect(await shown()).toHaveLength(2);
    });

    it('posts afresh when what it looks for was deleted, and finds that from then on', async () => {
      const key = 'TRF-1/hello';
      const first = await client.post(thread, simple, { key });
      harness.remove(first);
      const again = await harness.otherClient.post(thread, changed, { key, lookFirst: true });
      expect(again.messageId).not.toBe(first.messageId);
      expect(await client.post(thread, changed, { key, lookFirst: true })).toEqual(again);
      expect(await shown()).toEqual([expect.stringContaining('Changed it')]);
    });

    it('knows its message when the answer to a post is lost, and posts no more than it must', async () => {
      harness.loseNextAnswer();
      const ref = await client.post(thread, simple, { key: 'TRF-1/hello' });
      const all = await harness.messages(thread, harness.ana);
      expect(all).toHaveLength(harness.canLook ? 1 : 2);
      expect(all.at(-1)?.messageId).toBe(ref.messageId);
      const again = await harness.otherClient.post(thread, simple, { key: 'TRF-1/hello', lookFirst: true });
      expect(again).toEqual(ref);
    });

    it('posts once when a post failed', async () => {
      harness.failNextPost();
      await client.post(thread, simple, { key: 'TRF-1/hello' });
      expect(await shown()).toHaveLength(1);
    });

    it('waits as long as the platform asks', async () => {
      harness.throttle(1, 1);
      const ref = await client.post(thread, simple, { key: 'TRF-1/hello' });
      harness.throttle(1, 1);
      await client.update(ref, changed);
      expect(await shown()).toEqual([expect.stringContaining('Changed it')]);
    });

    it('gives up waiting with a fault that can be tried again', async () => {
      harness.throttle(3_600, 1);
      expect(await code(client.post(thread, simple, { key: 'TRF-1/hello' }))).toEqual({
        code: 'throttled',
        retryable: true,
      });
      expect(await shown()).toHaveLength(0);
    });

    it('writes direct messages, which others do not see', async () => {
      const ref = await client.dm(harness.ana, simple, { key: 'TRF-1/dm' });
      await client.update(ref, changed);
      expect(await harness.directMessages(harness.ana)).toMatchObject([
        { messageId: ref.messageId, shown: expect.stringContaining('Changed it') },
      ]);
      expect(await harness.directMessages(harness.bob)).toHaveLength(0);
      const again = await client.dm(harness.ana, simple, { key: 'TRF-1/dm', lookFirst: true });
      expect(again.messageId).toBe(ref.messageId);
    });

    it('whispers to one person only', async () => {
      await client.whisper(thread, harness.bob, simple);
      const seenBy = async (viewer: string) => (await harness.whispers(thread, viewer)).length;
      expect([await seenBy(harness.bob), await seenBy(harness.ana)]).toEqual([1, 0]);
    });

    it('whispers by direct message to somebody who is not there', async () => {
      await client.whisper(thread, harness.cleo, simple);
      expect(await shown()).toHaveLength(0);
      expect(await harness.directMessages(harness.cleo)).toHaveLength(1);
    });

    it('says not_found of a place where it may not write, and of a message that is gone', async () => {
      const notFound = { code: 'not_found', retryable: false };
      expect(await code(client.post(harness.closedThread, simple, { key: 'k' }))).toEqual(notFound);
      expect(await code(client.update({ thread, messageId: '1.000001' }, simple))).toEqual(notFound);
      expect(await code(client.dm(`${client.platform}:nowhere:U0NOBODY`, simple, { key: 'k' }))).toEqual(
        notFound,
      );
    });
  });
}
