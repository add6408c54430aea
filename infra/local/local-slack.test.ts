import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeServer, listenLocally } from './listen.ts';
import { type LocalSlack, localSlackBinary, startLocalSlack } from './local-slack.ts';
import { buttonsOf } from './slack-people.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL } from './slack-workspace.ts';

const { ana } = PEOPLE;
let folder: string;
let slack: LocalSlack;

/** Calls the Web API as the bot does. */
async function asBot(method: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${slack.apiUrl}${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SLACK_APP.botToken}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

describe.skipIf(!localSlackBinary())('the local Slack', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fileferry-slack-'));
    slack = await startLocalSlack({ folder, delivery: 'socket' });
  });
  afterAll(async () => {
    await slack?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('knows the people with their addresses, and the direct messages of each with the bot', async () => {
    for (const { id, realName, email, dm } of Object.values(PEOPLE)) {
      expect(await asBot('users.info', { user: id })).toMatchObject({
        ok: true,
        user: { id, profile: { real_name: realName, email } },
      });
      expect(await asBot('conversations.open', { users: id })).toMatchObject({ channel: { id: dm } });
    }
  });

  it('shows what people and bot write, with the buttons that can be pressed', async () => {
    const asked = await slack.people.sendMessage({
      channel: TRANSFERS_CHANNEL.id,
      user: ana.id,
      text: 'send the report',
    });
    await asBot('chat.postMessage', {
      channel: TRANSFERS_CHANNEL.id,
      thread_ts: asked.ts,
      text: 'Approve?',
      blocks: [
        {
          type: 'actions',
          block_id: 'decision',
          elements: [
            {
              type: 'button',
              action_id: 'approve',
              value: 'TRF-1',
              text: { type: 'plain_text', text: 'Approve' },
            },
          ],
        },
      ],
    });
    const messages = await slack.people.messages(TRANSFERS_CHANNEL.id);
    expect(messages[0]).toMatchObject({ ts: asked.ts, user: ana.id, text: 'send the report' });
    expect(messages[1]).toMatchObject({ thread_ts: asked.ts, text: 'Approve?' });
    expect(messages[1] && buttonsOf(messages[1])).toEqual([
      { blockId: 'decision', actionId: 'approve', value: 'TRF-1' },
    ]);
  });

  it('says why it refuses', async () => {
    await expect(slack.people.sendMessage({ channel: '', user: ana.id, text: 'hello?' })).rejects.toThrow(
      /local Slack refused message: /,
    );
  });

  it('posts events to the bot where there is a URL for them', async () => {
    const bodies: unknown[] = [];
    const bot = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.end();
      });
    });
    const requestUrl = `${await listenLocally(bot)}/slack/events`;
    const posting = await startLocalSlack({ folder: join(folder, 'events'), delivery: { requestUrl } });
    try {
      await posting.people.sendMessage({ channel: ana.dm, user: ana.id, text: 'my transfers' });
      await vi.waitFor(() =>
        expect(bodies).toContainEqual(
          expect.objectContaining({ event: expect.objectContaining({ channel: ana.dm, user: ana.id }) }),
        ),
      );
    } finally {
      await posting.stop();
      await closeServer(bot);
    }
  });

  it('is gone after stop, which may be called twice', async () => {
    const other = await startLocalSlack({ folder: join(folder, 'stopped'), delivery: 'socket' });
    await other.stop();
    await other.stop();
    await expect(fetch(other.endpoint)).rejects.toThrow();
  });

  it('does not outlive a process that is killed', async () => {
    const module = JSON.stringify(new URL('./local-slack.ts', import.meta.url).href);
    const program = `const { startLocalSlack } = await import(${module});
      const slack = await startLocalSlack({ folder: ${JSON.stringify(join(folder, 'orphan'))}, delivery: 'socket' });
      console.log(slack.endpoint);
      setInterval(() => undefined, 1000);`;
    const parent: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!parent.stdout) throw new Error('no pipe');
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const endpoint = printed.toString().trim();
    expect((await fetch(endpoint)).status).toBe(200);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(fetch(endpoint)).rejects.toThrow(), { timeout: 5_000 });
  });
});
