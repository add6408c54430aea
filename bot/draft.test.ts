/** Answers that grow, in a Slack that streams, in one that does not, and in one that fails in between. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerCard } from '../adapters/cards/reply-cards.ts';
import { SlackChatClient } from '../adapters/slack/client.ts';
import { createSlackApi } from '../adapters/slack/web-api.ts';
import { SLACK_BOT, SLACK_TEAM, type SlackServer, startSlackServer } from '../test/fakes/slack-server.ts';
import { createDraft } from './draft.ts';

const log = pino({ level: 'silent' });
const DM = 'D01ANA';
let slack: SlackServer;
let client: SlackChatClient;
let threadTs: string;

beforeAll(async () => {
  slack = await startSlackServer();
  slack.addUser({ id: 'U01ANA', name: 'ana' });
  slack.addChannel({ id: DM, members: ['U01ANA', SLACK_BOT.userId] });
});
afterAll(() => slack.close());
beforeEach(() => {
  client = new SlackChatClient({
    api: createSlackApi({ token: SLACK_BOT.token, apiUrl: slack.url, logger: log }),
    logger: log,
    now: Date.now,
  });
  threadTs = slack.say(DM, 'U01ANA', 'what is there?');
});

const thread = (ts?: string) => ({
  platform: 'slack' as const,
  teamId: SLACK_TEAM,
  channelId: DM,
  ...(ts === undefined ? {} : { threadTs: ts }),
});
const draft = (ts?: string) =>
  createDraft({ client, thread: thread(ts), key: `reply/${threadTs}`, log, everyMs: 1 });
const shown = () => slack.messages(DM).filter(({ user, ts }) => user === SLACK_BOT.userId && ts > threadTs);
/** Until the bot's message says this. */
async function until(text: string): Promise<void> {
  while (!shown().some((one) => one.text.includes(text)))
    await new Promise((resolve) => setImmediate(resolve));
}

describe('an answer that grows', () => {
  it('is streamed in a thread, and becomes the card in the end', async () => {
    const one = draft(threadTs);
    one.show('There are ');
    await until('There are');
    one.show('There are *two* <files> ');
    await until('files');
    expect(shown()[0]?.text).toBe('There are \\*two\\* &lt;files&gt; ');
    expect(await one.finish(answerCard('There are two files.'))).toBe(true);
    expect(shown()).toHaveLength(1);
    expect(JSON.stringify(shown()[0]?.blocks)).toContain('There are two files.');
    expect(slack.callsOf('chat.appendStream').length).toBeGreaterThan(0);
  });

  it('is one edited message where there is no thread, and bears the mark of the reply', async () => {
    const before = slack.callsOf('chat.startStream').length;
    const one = draft();
    one.think();
    await until('…');
    one.show('There are ');
    await until('There are');
    expect(await one.finish(answerCard('There are two files.'))).toBe(true);
    expect(shown()).toHaveLength(1);
    const again = await client.post(thread(), answerCard('x'), { key: `reply/${threadTs}`, lookFirst: true });
    expect(again.messageId).toBe(shown()[0]?.ts);
    expect(slack.callsOf('chat.startStream').length).toBe(before);
  });

  it.each(['unknown_method', 'missing_scope'])(
    'is edited where Slack answers %s, and is not asked again',
    async (code) => {
      const before = slack.callsOf('chat.startStream').length;
      slack.fail('chat.startStream', { kind: 'error', error: code });
      for (const text of ['First ', 'Second ']) {
        const one = draft(threadTs);
        one.show(text);
        await until(text.trim());
        await one.finish(answerCard(`${text}, done.`));
      }
      expect(slack.callsOf('chat.startStream').length).toBe(before + 1);
      expect(shown()).toHaveLength(2);
    },
  );

  it('that begins anew, because another model took over, becomes the card all the same', async () => {
    const one = draft(threadTs);
    one.show('Let me look. ');
    await until('look');
    one.show('Two ');
    expect(await one.finish(answerCard('Two files.'))).toBe(true);
    expect(JSON.stringify(shown()[0]?.blocks)).toContain('Two files.');
  });

  it('of any length fits into what one call may carry', async () => {
    const one = draft(threadTs);
    const long = '*'.repeat(20_000);
    one.show(`${long} end `);
    await until('end');
    await one.finish(answerCard('Done.'));
    expect(shown()).toHaveLength(1);
  });

  it('that Slack refuses to show leaves the answer to be posted', async () => {
    slack.fail('chat.postMessage', { kind: 'error', error: 'is_archived' });
    const one = draft();
    one.show('There are ');
    while (slack.callsOf('chat.postMessage').at(-1)?.text !== 'There are')
      await new Promise((r) => setImmediate(r));
    expect(await one.finish(answerCard('There are two files.'))).toBe(false);
    expect(shown()).toEqual([]);
  });

  it('that never began is still to be posted, and nothing is shown after its end', async () => {
    const one = draft();
    expect(await one.finish(answerCard('Done.'))).toBe(false);
    one.show('too late ');
    one.think();
    expect(await one.finish(answerCard('Done.'))).toBe(false);
    expect(shown()).toEqual([]);
  });
});

it('shows in a thread that it thinks, and says where it cannot', async () => {
  expect(await client.thinking(thread(threadTs))).toBe(true);
  expect(slack.statuses.at(-1)).toBe('is thinking …');
  expect(await client.thinking(thread())).toBe(false);
  slack.fail('assistant.threads.setStatus', { kind: 'error', error: 'missing_scope' });
  expect(await client.thinking(thread(threadTs))).toBe(false);
  const asked = slack.callsOf('assistant.threads.setStatus').length;
  expect(await client.thinking(thread(threadTs))).toBe(false);
  expect(slack.callsOf('assistant.threads.setStatus').length).toBe(asked);
});
