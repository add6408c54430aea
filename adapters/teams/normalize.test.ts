/** Teams' activities as neutral events: shapes that were recorded from Teams, with people and ids of our own. */
import { describe, expect, it } from 'vitest';
import { chatEventSchema, MAX_TEXT } from '../chat-event.ts';
import { envelopeSchema, normalizeActivity, tenantOf } from './normalize.ts';
import { readText } from './text.ts';

const TENANT = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const BOT = '28:11111111-2222-3333-4444-555555555555';
const CHANNEL = '19:d441d38c655c47a085215b2726e76927@thread.tacv2';
const ANA = '00000000-1111-2222-3333-444444444444';

/** A mention in a channel, as Teams sends it. */
const MENTION = {
  text: '<at>FileFerry</at> send it',
  textFormat: 'plain',
  type: 'message',
  timestamp: '2026-01-02T18:03:37.1995342Z',
  id: '1767377017138',
  channelId: 'msteams',
  serviceUrl: `https://smba.trafficmanager.net/amer/${TENANT}/`,
  from: { id: '29:1xXxAnaAnaAna', name: 'Ana', aadObjectId: ANA },
  conversation: {
    isGroup: true,
    conversationType: 'channel',
    tenantId: TENANT,
    id: `${CHANNEL};messageid=1767377017138`,
  },
  recipient: { id: BOT, name: 'FileFerry' },
  entities: [
    { mentioned: { id: BOT, name: 'FileFerry' }, text: '<at>FileFerry</at>', type: 'mention' },
    { type: 'clientInfo', locale: 'en-US', platform: 'Web' },
  ],
  channelData: { teamsChannelId: CHANNEL, channel: { id: CHANNEL }, tenant: { id: TENANT } },
};
const PERSONAL = {
  ...MENTION,
  text: 'status',
  entities: [],
  conversation: { conversationType: 'personal', tenantId: TENANT, id: 'a:17NditBRO5pbPlIimLiU0g7vfMqIYTPw' },
};
const CLICK = {
  ...MENTION,
  type: 'invoke',
  name: 'adaptiveCard/action',
  id: 'f:975cac46-e795-f39b-0c0d-491c14495a9b',
  replyToId: '1767377020000',
  value: {
    action: { type: 'Action.Execute', title: 'Approve', verb: 'approve', data: { value: 'TRF-1' } },
    trigger: 'manual',
  },
};

function normalize(raw: unknown) {
  const envelope = envelopeSchema.parse(raw);
  return normalizeActivity(raw, envelope, tenantOf(envelope) ?? '', 1_795_376_915_000);
}
function taken(raw: unknown) {
  const normalized = normalize(raw);
  if (normalized.kind !== 'taken') throw new Error(JSON.stringify(normalized));
  const person = { userId: 'teams:t:u', name: 'Ana', standing: 'member' } as const;
  return { ...normalized, event: chatEventSchema.parse({ ...normalized.event, person }) };
}

describe('messages', () => {
  it('are taken where the bot is mentioned, and answered in their thread', () => {
    const { event, sender } = taken(MENTION);
    expect(event).toMatchObject({
      kind: 'message',
      text: 'send it',
      scope: 'channel',
      thread: {
        platform: 'teams',
        tenantId: TENANT,
        serviceUrl: MENTION.serviceUrl,
        conversationId: MENTION.conversation.id,
        botId: BOT,
      },
    });
    expect(sender).toMatchObject({ teamsId: MENTION.from.id, aadObjectId: ANA });
  });

  it('are taken in the personal chat without a mention', () => {
    expect(taken(PERSONAL).event).toMatchObject({ scope: 'dm', text: 'status' });
  });

  it('are taken in group chats', () => {
    const group = {
      ...MENTION,
      conversation: { isGroup: true, conversationType: 'groupChat', tenantId: TENANT, id: '19:a@thread.v2' },
    };
    expect(taken(group).event).toMatchObject({
      scope: 'channel',
      thread: { conversationId: '19:a@thread.v2' },
    });
  });

  it.each([
    ['does not name the bot', { entities: [] }],
    [
      'names somebody else',
      { entities: [{ type: 'mention', mentioned: { id: '29:bob' }, text: '<at>FileFerry</at>' }] },
    ],
    ['is of another kind', { type: 'messageReaction' }],
  ])('are ignored where one %s', (_, change) => {
    expect(normalize({ ...MENTION, ...change })).toMatchObject({ kind: 'ignored' });
  });

  it('belong to the one tenant that they name', () => {
    expect(tenantOf(envelopeSchema.parse(MENTION))).toBe(TENANT);
    const two = { ...MENTION, channelData: { tenant: { id: 'another' } } };
    expect(tenantOf(envelopeSchema.parse(two))).toBeUndefined();
  });
});

describe('clicks', () => {
  it('carry who, what and which message; the payload gives no rights', () => {
    const { event } = taken(CLICK);
    expect(event).toMatchObject({
      kind: 'action',
      actionId: 'approve',
      value: 'TRF-1',
      message: { messageId: CLICK.replyToId, thread: { conversationId: CLICK.conversation.id } },
    });
    expect(taken({ ...CLICK, id: 'f:other' }).event.key).not.toBe(event.key);
    expect(taken(CLICK).event.key).toBe(event.key);
  });

  it.each([
    [{ value: { action: { type: 'Action.Execute', verb: 'drop', data: { value: '' } } } }],
    [{ value: { action: { type: 'Action.Submit', verb: 'approve', data: { value: '' } } } }],
    [{ value: { action: { type: 'Action.Execute', verb: 'approve', data: { value: 7 } } } }],
    [{ replyToId: undefined }],
    [{ name: 'composeExtension/query' }],
  ])('of another form are ignored: %j', (change) => {
    expect(normalize({ ...CLICK, ...change })).toMatchObject({ kind: 'ignored' });
  });
});

describe('being added', () => {
  const change = { ...MENTION, type: 'conversationUpdate', id: 'f:1' };
  it.each([
    ['added', { ...change, membersAdded: [{ id: BOT }] }, 'added'],
    ['installed', { ...MENTION, type: 'installationUpdate', action: 'add' }, 'added'],
    ['installed anew', { ...MENTION, type: 'installationUpdate', action: 'add-upgrade' }, 'added'],
    ['uninstalled', { ...MENTION, type: 'installationUpdate', action: 'remove' }, 'removed'],
    ['removed', { ...change, membersRemoved: [{ id: BOT }] }, 'removed'],
    [
      'renamed',
      { ...change, channelData: { eventType: 'channelRenamed', tenant: { id: TENANT } } },
      'ignored',
    ],
    ['joined by others', { ...change, membersAdded: [{ id: '29:bob' }] }, 'ignored'],
    ['left by others', { ...change, membersRemoved: [{ id: '29:bob' }] }, 'ignored'],
  ])('%s', (_, raw, kind) => {
    expect(normalize(raw)).toMatchObject({ kind });
  });
});

describe('readText', () => {
  const bot = [{ mentionedId: BOT, text: '<at>FileFerry</at>' }];
  it.each([
    ['<at>FileFerry</at> send&nbsp;it', 'send it'],
    ['<p><at>FileFerry</at> a &lt;b&gt; &amp;amp; c</p>', 'a <b> &amp; c'],
    ['<at>FileFerry</at> ask <at id="1">Bob Stone</at>', 'ask @Bob Stone'],
    ['hi <at>FileFerry</at>\u200b', 'hi'],
    ['<at>FileFerry</at> one<br/>two', 'one\ntwo'],
  ])('reads %j', (raw, text) => {
    expect(readText(raw, bot, BOT)).toEqual({ text, truncated: false });
  });
  it('knows the bot’s mention also where its text is missing', () => {
    expect(readText('<at>FileFerry</at> hi', [{ mentionedId: BOT }], BOT).text).toBe('hi');
  });
  it('keeps at most so much, in whole characters', () => {
    const { text, truncated } = readText('😀'.repeat(MAX_TEXT), [], BOT);
    expect([text.length, truncated, text.isWellFormed()]).toEqual([MAX_TEXT, true, true]);
  });
});
