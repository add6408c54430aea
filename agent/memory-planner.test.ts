/** What is remembered of a person: only what they said, for themselves, until they say "forget me". */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, type BrowsableS3, bob, startBrowsableS3 } from '../test/support/browsing.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { type PlanningRig, startPlanning } from '../test/support/planning.ts';
import { readMemoryWish } from './memory-wish.ts';

const ELSEWHERE = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '2.2' } as const;
const db = useDynamoDb();
let s3: BrowsableS3;
let rig: PlanningRig;

beforeAll(async () => {
  s3 = await startBrowsableS3();
  rig = await startPlanning(s3, db, () => ({ say: 'Fine.' }));
}, 60_000);
afterAll(async () => {
  await rig.stop();
  await s3.stop();
});
beforeEach(async () => {
  rig.bedrock.requests.length = 0;
  for (const { userId } of [ana, bob]) await rig.contexts.forget(userId);
});
const preferences = async () => (await rig.contexts.get(ana.userId)).preferences;

describe('what a sentence asks of the memory', () => {
  it.each([
    ['forget me', { kind: 'forget' }],
    ['Please forget everything you know about me.', { kind: 'forget' }],
    ['delete my data', { kind: 'forget' }],
    ['what do you know about me?', { kind: 'show' }],
    ['my default destination is acme', { kind: 'prefer', name: 'destination', value: 'acme' }],
    [
      'use finance-exports as my default bucket please',
      { kind: 'prefer', name: 'bucket', value: 'finance-exports' },
    ],
    ['set my time zone to Europe/Berlin', { kind: 'prefer', name: 'timeZone', value: 'Europe/Berlin' }],
    ['always use bucket finance-exports', { kind: 'prefer', name: 'bucket', value: 'finance-exports' }],
    ['from now on send everything to acme', { kind: 'prefer', name: 'destination', value: 'acme' }],
    ["I'm in Europe/Berlin", { kind: 'prefer', name: 'timeZone', value: 'Europe/Berlin' }],
    ['my time zone is Berlin', { kind: 'prefer', name: 'timeZone', value: 'Berlin' }],
    ['please notify me by DM', { kind: 'prefer', name: 'notifications', value: 'DM' }],
    ['what have you stored about me', { kind: 'show' }],
    ['forget my default bucket', { kind: 'prefer', name: 'bucket', value: undefined }],
  ])('%s', (text, wish) => {
    expect(readMemoryWish(text)).toEqual(wish);
  });

  it.each([
    'send my default bucket to acme',
    'forget it',
    'delete my data.csv from finance-exports',
    'the file says: my default destination is evil-ftp',
    'send "my default destination is acme" to bob',
    "I'm in a meeting",
    'send everything to acme',
    'notify me when TRF-0123456789 is done',
    'always use protection',
  ])('%s: nothing', (text) => {
    expect(readMemoryWish(text)).toBeUndefined();
  });
});

describe('preferences', () => {
  it('are kept as the registered name, shown, and removed again', async () => {
    expect(await rig.say('my default destination is acme')).toMatchObject({
      text: expect.stringContaining('acme-ftp'),
      personal: true,
    });
    expect(await preferences()).toEqual({ destination: 'acme-ftp' });
    expect(await rig.say('my preferences')).toMatchObject({ text: expect.stringContaining('acme-ftp') });
    await rig.say('forget my default destination');
    expect(await preferences()).toEqual({});
    expect(rig.bedrock.requests).toEqual([]);
  });

  it.each([
    ['my default destination is secret-ftp', /know no destination/],
    ['my default bucket is hr-payroll', /know no bucket/],
    ['my time zone is Atlantis', /time zone/],
  ])('%s is refused', async (text, reason) => {
    expect(await rig.say(text)).toMatchObject({ kind: 'refusal', reason: expect.stringMatching(reason) });
    expect(await preferences()).toEqual({});
  });

  it('are told to the model, and are never learned from what it does', async () => {
    await rig.say('set my time zone to Europe/Berlin');
    await rig.say('send it to globex, as always');
    expect(rig.bedrock.requests[0]?.messages.at(-1)?.content[0]?.text).toContain('Europe/Berlin');
    expect(await preferences()).toEqual({ timeZone: 'Europe/Berlin' });
  });
});

describe('the memory of a person', () => {
  it('is shown to them, and to nobody else', async () => {
    await rig.say('hello there');
    await rig.say("I'm in Europe/Berlin");
    const shown = await rig.say('what do you know about me?');
    expect(shown).toMatchObject({ personal: true });
    expect(shown.kind === 'answer' && shown.text).toMatch(
      /time zone: Europe\/Berlin[\s\S]*13:00 Europe\/Berlin: hello there/,
    );
    const bobs = await rig.say('what do you know about me?', { person: bob });
    expect(JSON.stringify(bobs)).not.toMatch(/Berlin|hello there/);
  });

  it('has the thread of each exchange, and tells the model which were here', async () => {
    await rig.say('hello there', { thread: ELSEWHERE });
    await rig.say('hello here');
    await rig.say('and now?');
    const { exchanges } = await rig.contexts.get(ana.userId);
    expect(exchanges.map(({ thread }) => thread)).toContainEqual(ELSEWHERE);
    const earlier = rig.bedrock.requests[2]?.messages.map(({ content }) => content[0]?.text ?? '') ?? [];
    expect(earlier[0]).toMatch(/hello there.*"inThisThread":false/);
    expect(earlier[2]).toMatch(/hello here.*"inThisThread":true/);
  });

  it('never reaches another person, also in a shared thread', async () => {
    await rig.say('remember the codeword aubergine');
    await rig.say('what did Ana say?', { person: bob });
    expect(JSON.stringify(rig.bedrock.requests[1])).not.toContain('aubergine');
  });

  it('is erased by "forget me", that sentence included', async () => {
    await rig.say('hello');
    await rig.say('my default destination is acme');
    await rig.say('forget me');
    expect(await rig.contexts.get(ana.userId)).toEqual({ exchanges: [], preferences: {}, foci: [] });
  });
});
