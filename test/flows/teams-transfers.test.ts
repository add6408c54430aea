/** A transfer under way in Teams: its buttons, a worker that is killed, and a Teams that throttles and forgets. */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TEAMS_PEOPLE } from '../../infra/local/local-teams.ts';
import type { TeamsMessage } from '../fakes/teams-connector.ts';
import { useHouse, waitFor } from '../support/house.ts';
import { buttonOf, buttonsOf, requestSummaryAs, shown, teamsHandsOf } from '../support/teams-hands.ts';

const { ana, bob, dan } = TEAMS_PEOPLE;
const SLOW = { bytesPerSecond: 30_000 };
/** What a crash leaves is taken over within seconds. */
const SHORT = { LEASE_SECONDS: '3', RECONCILE_SECONDS: '1', PROGRESS_SECONDS: '3' };

const house = useHouse({ slack: 'none', teams: 'fake', bot: SHORT, worker: SHORT });
const hands = teamsHandsOf(house);
afterEach(() => house.stack.s3.setReadFault());

const source = () => house.stack.readObject('finance-exports', 'reports/2026/Q3/summary.xlsx');
const threadOf = ({ said }: Asked) => hands.teams().messages(said.conversationId);
type Asked = Awaited<ReturnType<typeof hands.ask>>;

/** Approved, and a part of it is at the destination. */
async function underWay(name: string): Promise<Asked & { readonly progress: TeamsMessage }> {
  hands.connect();
  house.stack.s3.setReadFault(SLOW);
  const asked = await hands.ask(ana, requestSummaryAs(name));
  await hands.press(bob, asked.card, 'approve');
  await waitFor('a part of the file to be there', async () => {
    const folder = join(house.stack.ftp.folder, 'acme');
    const names = await readdir(folder).catch(() => []);
    const part = names.find((one) => one.startsWith('.fileferry-') && one.includes(asked.transferId));
    return part !== undefined && (await stat(join(folder, part))).size > 0;
  });
  const progress = await waitFor('the message with Cancel', () =>
    threadOf(asked).find(
      (message) => buttonsOf(message).some(({ verb }) => verb === 'cancel') && message !== asked.card,
    ),
  );
  return { ...asked, progress };
}

/** Delivered whole, and told in three messages without buttons. */
async function delivered(asked: Asked, name: string) {
  const ended = await house.settled(asked.transferId, 'completed', { withinMs: 60_000 });
  expect((await house.stack.ftp.read(`/acme/${name}`)).equals(await source())).toBe(true);
  const thread = threadOf(asked);
  expect(thread.map((message) => message.activity.summary)).toEqual([
    expect.stringContaining('was approved by Bob'),
    expect.stringContaining('was delivered to acme-ftp'),
    expect.stringContaining('is on acme-ftp in'),
  ]);
  expect(thread.flatMap(buttonsOf)).toEqual([]);
  return ended;
}

describe('the buttons of a transfer', { timeout: 90_000 }, () => {
  it('Cancel stops it, for the requester and not for anybody', async () => {
    const asked = await underWay('cancelled.xlsx');
    const refused = await hands.press(dan, asked.progress, 'cancel');
    expect(refused.body).toMatchObject({
      type: 'application/vnd.microsoft.activity.message',
      value: expect.stringContaining('⚠️'),
    });
    const { status, body } = await hands.press(ana, asked.progress, 'cancel');
    // With the card, or where the worker edits it first, with a sentence.
    expect({ status, body }).toMatchObject({ status: 200, body: { statusCode: 200 } });
    expect(JSON.stringify(body)).toMatch(/Stopping|stop/);
    await house.settled(asked.transferId, 'cancelled');
    expect(await house.stack.ftp.files()).not.toContain('/acme/cancelled.xlsx');
    expect(threadOf(asked).flatMap(buttonsOf)).toEqual([]);
    expect(threadOf(asked).at(-1)?.activity.summary).toContain('was cancelled by Ana');
  });

  it('Retry tries again what failed, and its card loses the button', async () => {
    hands.connect();
    const taken = join(house.stack.ftp.folder, 'acme', 'again.xlsx');
    await mkdir(dirname(taken), { recursive: true });
    await writeFile(taken, 'precious');
    const asked = await hands.ask(ana, requestSummaryAs('again.xlsx'));
    await hands.press(bob, asked.card, 'approve');
    await house.settled(asked.transferId, 'failed');
    const outcome = threadOf(asked).at(-1) ?? expect.fail();
    expect(shown(outcome)).toContain('already exists at the destination');
    await rm(taken);
    // With the card, or where the worker edits it first, with a sentence.
    const { status, body } = await hands.press(ana, outcome, 'retry');
    expect({ status, body }).toMatchObject({ status: 200, body: { statusCode: 200 } });
    expect(JSON.stringify(body)).not.toContain('"verb":"retry"');
    expect(JSON.stringify(body)).toMatch(/tried again|on the queue again/);
    const ended = await house.recordWith(
      asked.transferId,
      'delivered and told',
      (it) =>
        it.status === 'completed' && it.messages.some((one) => one.role === 'outcome' && one.attempt === 2),
    );
    expect(ended.attempt).toBe(2);
    expect((await house.stack.ftp.read('/acme/again.xlsx')).equals(await source())).toBe(true);
    expect(threadOf(asked).flatMap(buttonsOf)).toEqual([]);
  });
});

describe('from the worker, which knows the thread by its reference alone', { timeout: 120_000 }, () => {
  it('a killed worker’s transfer is finished by another, and told once', async () => {
    const asked = await underWay('killed.xlsx');
    await house.worker.kill();
    await house.start('worker');
    house.stack.s3.setReadFault();
    const { steps } = await delivered(asked, 'killed.xlsx');
    expect(steps.stream.attempts).toBe(2);
  });

  it('what somebody deleted is posted afresh', async () => {
    const asked = await underWay('forgotten.xlsx');
    hands.teams().remove(asked.progress.id);
    house.stack.s3.setReadFault();
    const { messages } = await delivered(asked, 'forgotten.xlsx');
    const fresh = messages.find(({ role }) => role === 'progress')?.ref.messageId;
    expect(fresh).not.toBe(asked.progress.id);
    expect(threadOf(asked).map(({ id }) => id)).toContain(fresh);
    // In the thread where it belongs, and nobody is troubled personally.
    expect(hands.teams().personalMessages(ana).map(shown).join()).not.toContain(asked.transferId);
  });

  it('everything is told once when Teams throttles and its gateways fail', async () => {
    hands.connect();
    const { fail } = hands.teams();
    fail('send', { kind: 'throttle', retryAfter: 1 });
    const asked = await hands.ask(ana, requestSummaryAs('throttled.xlsx'));
    fail('update', { kind: 'throttle', status: 412 });
    fail('send', { kind: 'http', status: 502 });
    const value = buttonOf(asked.card, 'approve');
    const { body } = await hands.teams().people.click(bob, asked.card, value);
    expect(body).toMatchObject({ type: 'application/vnd.microsoft.card.adaptive' });
    await waitFor('the progress message', () => threadOf(asked).length > 1);
    fail('update', { kind: 'http', status: 504 });
    fail('send', { kind: 'throttle', status: 412 });
    await delivered(asked, 'throttled.xlsx');
  });
});
