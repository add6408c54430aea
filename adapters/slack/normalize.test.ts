/** Slack's payloads, shaped like recorded ones, as neutral events. */
import { describe, expect, it } from 'vitest';
import {
  clickPayload,
  commandPayload,
  directEvent,
  mentionEvent,
  mentionMessageEvent,
  threadReplyEvent,
} from '../../test/fixtures/slack-payloads.ts';
import { normalizeAction, normalizeCommand, normalizeMessage } from './normalize.ts';

const bot = { teamId: 'T01FERRY', botUserId: 'U0FERRY', botId: 'B0FERRY' };
const at = 1_795_376_916_000;
const message = (payload: unknown) => normalizeMessage(payload, bot, at);

describe('normalizeMessage', () => {
  it('takes a mention, and its twin event for the same', () => {
    const taken = message(mentionEvent);
    expect(taken).toEqual({
      kind: 'taken',
      slackUser: 'U01ANA',
      event: {
        kind: 'message',
        key: 'slack:T01FERRY:C01OPS:1795376915.870439',
        scope: 'channel',
        command: false,
        thread: {
          platform: 'slack',
          teamId: 'T01FERRY',
          channelId: 'C01OPS',
          threadTs: '1795376915.870439',
        },
        receivedAt: at,
        text: 'send q3.pdf to acme-ftp',
        truncated: false,
      },
      joins: { channelId: 'C01OPS', threadTs: '1795376915.870439' },
    });
    expect(message(mentionMessageEvent)).toEqual(taken);
    const { channel_type: _, ...asRecorded } = mentionMessageEvent;
    expect(message(asRecorded)).toEqual(taken);
  });

  it('takes a reply in a thread on condition that the bot takes part there', () => {
    expect(message(threadReplyEvent)).toMatchObject({
      event: { thread: { threadTs: '1795376915.870439' }, key: 'slack:T01FERRY:C01OPS:1795376920.000100' },
      onlyIn: { channelId: 'C01OPS', threadTs: '1795376915.870439' },
    });
    expect(message({ ...threadReplyEvent, subtype: 'thread_broadcast' })).toMatchObject({ kind: 'taken' });
  });

  it('takes a direct message, in a thread only where the person opened one', () => {
    const direct = message(directEvent);
    expect(direct).toMatchObject({
      event: { scope: 'dm', thread: { channelId: 'D01ANA' }, text: 'where is my transfer?' },
    });
    expect(direct).not.toHaveProperty('event.thread.threadTs');
    expect(direct).not.toHaveProperty('onlyIn');
    const { channel_type: _, ...withoutType } = directEvent;
    expect(message(withoutType)).toEqual(direct);
    expect(message({ ...directEvent, thread_ts: '1795376900.000001' })).toMatchObject({
      event: { thread: { threadTs: '1795376900.000001' } },
    });
  });

  it.each([
    ['talk among people', { ...mentionMessageEvent, text: 'lunch?' }],
    ['an edit', { ...directEvent, subtype: 'message_changed' }],
    ['an edited mention', { ...mentionEvent, edited: { user: 'U01ANA', ts: '1.2' } }],
    ['a join', { ...mentionMessageEvent, subtype: 'channel_join' }],
    ['another bot', { ...mentionEvent, bot_id: 'B99OTHER' }],
    ['itself', { ...directEvent, user: 'U0FERRY' }],
    ['nobody', { ...directEvent, user: undefined }],
    ['a reaction', { type: 'reaction_added' }],
    ['nothing', undefined],
  ])('ignores %s', (_, payload) => {
    expect(message(payload)).toMatchObject({ kind: 'ignored' });
  });
});

describe('normalizeAction', () => {
  const action = (payload: unknown) => normalizeAction(payload, bot, at);

  it('takes a click', () => {
    const thread = {
      platform: 'slack',
      teamId: 'T01FERRY',
      channelId: 'C01OPS',
      threadTs: '1795376915.870439',
    };
    expect(action(clickPayload)).toEqual({
      kind: 'taken',
      slackUser: 'U02BOB',
      event: {
        kind: 'action',
        key: 'slack:T01FERRY:action:C01OPS:1795376921.896109:U02BOB:approve:1795376930.289415',
        scope: 'channel',
        thread,
        receivedAt: at,
        actionId: 'approve',
        value: 'TRF-0123456789|9f86d081',
        message: { thread, messageId: '1795376921.896109' },
      },
    });
  });

  it('takes the number off that tells equal buttons apart', () => {
    const [button] = clickPayload.actions;
    const choose = (action_id: string) => action({ ...clickPayload, actions: [{ ...button, action_id }] });
    expect(choose('choose:12')).toMatchObject({ event: { actionId: 'choose' } });
    expect(choose('choose:x')).toMatchObject({ kind: 'ignored' });
    expect(choose('drop_tables')).toMatchObject({ kind: 'ignored' });
  });

  it('answers below a card that began no thread, but not in a direct message', () => {
    const { thread_ts: _, ...container } = clickPayload.container;
    const { message: _gone, ...rest } = clickPayload;
    expect(action({ ...rest, container })).toMatchObject({
      event: { thread: { threadTs: '1795376921.896109' } },
    });
    const direct = action({ ...rest, container: { ...container, channel_id: 'D02BOB' } });
    expect(direct).toMatchObject({ event: { thread: { channelId: 'D02BOB' } } });
    expect(direct).not.toHaveProperty('event.thread.threadTs');
  });

  it('takes no message for a thread that one person alone sees', () => {
    const { thread_ts: root, ...place } = clickPayload.container;
    const { message: _none, ...rest } = clickPayload;
    const container = { ...place, is_ephemeral: true };
    const outside = action({ ...rest, container });
    expect(outside).toMatchObject({
      event: { scope: 'channel', thread: { channelId: 'C01OPS' }, alone: true },
    });
    expect(outside).not.toHaveProperty('event.thread.threadTs');
    const inThread = action({ ...rest, container: { ...container, thread_ts: root } });
    expect(inThread).toMatchObject({ event: { thread: { threadTs: root } } });
    expect(inThread).not.toHaveProperty('event.alone');
  });

  it('ignores a value that no button of ours can have', () => {
    const [button] = clickPayload.actions;
    const forged = { ...clickPayload, actions: [{ ...button, value: 'v'.repeat(2_001) }] };
    expect(action(forged)).toMatchObject({ kind: 'ignored' });
  });
});

describe('normalizeCommand', () => {
  it('takes a slash command, which has no thread yet', () => {
    expect(normalizeCommand(commandPayload, bot, at)).toEqual({
      kind: 'taken',
      slackUser: 'U01ANA',
      event: {
        kind: 'message',
        key: 'slack:T01FERRY:command:3.4.def',
        scope: 'channel',
        command: true,
        thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS' },
        receivedAt: at,
        text: 'status',
        truncated: false,
      },
    });
    expect(normalizeCommand({ command: '/fileferry' }, bot, at)).toMatchObject({ kind: 'ignored' });
  });
});
