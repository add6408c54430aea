/** Receiver and client against the local Slack, which is not of our making: from a mention to a click to a DM. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalSlack, localSlackBinary, startLocalSlack } from '../../test/fakes/local-slack.ts';
import { SAMPLE_CARDS } from '../../test/fixtures/cards.ts';
import type { ChatEvent } from '../chat-event.ts';
import type { Receiver } from '../receiver.ts';
import { SlackChatClient } from './client.ts';
import { slackSocketReceiver } from './receiver.ts';
import { createSlackApi } from './web-api.ts';

const binary = localSlackBinary();

describe.skipIf(!binary)('with local-slack (needs the package local-slack-linux-x64)', () => {
  let slack: LocalSlack;
  let receiver: Receiver;
  let client: SlackChatClient;
  let events: ChatEvent[];

  beforeEach(async () => {
    slack = await startLocalSlack(binary ?? '');
    const logger = pino({ level: 'silent' });
    const api = createSlackApi({ token: 'xoxb-local', apiUrl: slack.apiUrl, logger });
    client = new SlackChatClient({ api, logger, now: Date.now });
    receiver = slackSocketReceiver({
      api,
      logger,
      now: Date.now,
      appToken: 'xapp-local',
      apiUrl: slack.apiUrl,
      stopDeadlineMs: 1_000,
    });
    events = [];
    await receiver.start(async (event) => {
      const known = events.some(({ key }) => key === event.key);
      if (!known) events.push(event);
      return known ? 'duplicate' : 'accepted';
    });
  });
  afterEach(async () => {
    await receiver.stop();
    await slack.stop();
  });

  /** The n-th event, once it is there. */
  async function arrived<K extends ChatEvent['kind']>(n: number, kind: K) {
    await expect.poll(() => events.length).toBeGreaterThanOrEqual(n);
    const event = events[n - 1];
    if (event?.kind !== kind) throw new Error(`event ${n} is a ${event?.kind}`);
    return event as Extract<ChatEvent, { kind: K }>;
  }

  it('goes from a mention to a card, a click, an edit and a direct message', async () => {
    expect(receiver.ready()).toBe(true);
    await slack.act('message', { channel: 'C01OPS', user: 'U01ANA', text: '<@U0FERRY> send q3.pdf' });
    const mention = await arrived(1, 'message');
    expect(mention).toMatchObject({
      text: 'send q3.pdf',
      scope: 'channel',
      person: {
        userId: 'slack:T01FERRY:U01ANA',
        name: 'ana',
        email: 'ana@example.com',
        standing: 'member',
      },
    });

    const key = 'TRF-0123456789/approval';
    const card = await client.post(mention.thread, SAMPLE_CARDS.proposal, { key });
    const again = await client.post(mention.thread, SAMPLE_CARDS.proposal, { key, lookFirst: true });
    expect(again).toEqual(card);

    await slack.act('interact', {
      channel: 'C01OPS',
      messageTs: card.messageId,
      user: 'U02BOB',
      action: { type: 'button', block_id: 'b3', action_id: 'approve', value: 'TRF-0123456789|9f86d081' },
    });
    const click = await arrived(2, 'action');
    expect(click).toMatchObject({
      actionId: 'approve',
      value: 'TRF-0123456789|9f86d081',
      person: { userId: 'slack:T01FERRY:U02BOB' },
      message: card,
      thread: mention.thread,
    });

    await client.update(click.message, SAMPLE_CARDS.outcome);
    const shown = (await slack.messages('C01OPS')).find(({ ts }) => ts === card.messageId);
    expect(shown?.blocks?.[0]).toMatchObject({ block_id: `ff:${key}`, text: { text: '✅ Done' } });

    const dm = await client.dm('slack:T01FERRY:U01ANA', SAMPLE_CARDS.progress, { key: 'TRF-0123456789/dm' });
    const direct = await slack.messages('D01ANA');
    expect(direct.map(({ ts }) => ts)).toEqual([dm.messageId]);
    await client.whisper(mention.thread, 'slack:T01FERRY:U02BOB', SAMPLE_CARDS.question);
    expect(events).toHaveLength(2);
  });

  it('takes direct messages, thread replies and slash commands', async () => {
    await slack.act('message', { channel: 'D01ANA', user: 'U01ANA', text: 'where is my transfer?' });
    const direct = await arrived(1, 'message');
    expect(direct).toMatchObject({ scope: 'dm', thread: { channelId: 'D01ANA' } });
    expect(direct.thread).not.toHaveProperty('threadTs');

    await slack.act('message', { channel: 'C01OPS', user: 'U01ANA', text: 'lunch?' });
    await slack.act('message', { channel: 'C01OPS', user: 'U01ANA', text: '<@U0FERRY> help' });
    const help = await arrived(2, 'message');
    const threadTs = help.thread.platform === 'slack' ? help.thread.threadTs : undefined;
    await slack.act('message', { channel: 'C01OPS', user: 'U02BOB', text: 'me too', thread_ts: threadTs });
    expect(await arrived(3, 'message')).toMatchObject({ text: 'me too', person: { name: 'bob' } });

    await slack.act('command', { channel: 'C01OPS', user: 'U01ANA', command: '/fileferry', text: 'status' });
    expect(await arrived(4, 'message')).toMatchObject({
      command: true,
      text: 'status',
      thread: { channelId: 'C01OPS' },
    });
  });
});
