/** The walk with Slack posting signed events to the bot, and all that may go wrong between the two. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../infra/local/services.ts';
import { buttonsOf } from '../../infra/local/slack-people.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL, WORKSPACE } from '../../infra/local/slack-workspace.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { SLACK_BOT } from '../fakes/slack-server.ts';
import { postSignedJson } from '../fakes/slack-signer.ts';
import { changePolicy, shownIn, useHouse, userIdOf, waitFor } from '../support/house.ts';
import { type HttpSlack, startHttpSlack } from '../support/http-slack.ts';

const CHANNEL = TRANSFERS_CHANNEL.id;
const BUCKET = 'finance-exports';
const KEY = 'reports/2026/Q3/summary.xlsx';
const { ana, bob, cleo, dan } = PEOPLE;
const AT_BOT = `<@${SLACK_BOT.userId}>`;
/** A new name at the destination each time, for acme-ftp refuses a name that is taken. */
const request = (name: string) => `send s3://${BUCKET}/${KEY} to acme-ftp as ${name}`;

/** Approvers by the policy, whom Slack's directory says more about. */
const DOUBTFUL = [
  { id: 'U05EVE', what: 'somebody of another workspace', team_id: 'T99OTHER', is_stranger: true },
  { id: 'U06GUS', what: 'a guest', is_ultra_restricted: true },
  { id: 'U07DEA', what: 'a deactivated account', deleted: true },
] as const;

describe('Slack over HTTP', () => {
  let slack: HttpSlack;
  afterAll(() => slack?.close());

  async function prepare(stack: Stack): Promise<void> {
    slack = await startHttpSlack(() => house.bot.url);
    for (const { what, ...user } of DOUBTFUL) slack.server.addUser({ ...user, name: user.id });
    slack.server.addChannel({
      id: CHANNEL,
      members: [...[...Object.values(PEOPLE), ...DOUBTFUL].map(({ id }) => id), SLACK_BOT.userId],
    });
    await changePolicy(stack, ({ groups }) => {
      for (const group of ['approvers', 'requesters'])
        groups[group]?.push(...DOUBTFUL.map(({ id }) => `slack:${WORKSPACE.teamId}:${id}`));
    });
  }
  const house = useHouse({
    slack: 'none',
    prepare,
    bot: () => slack.botSettings,
    worker: () => slack.workerSettings,
    people: () => slack.people,
  });

  /** What only this person was shown, oldest first. */
  const whispersTo = (user: string) =>
    slack.server
      .messages(CHANNEL, user)
      .filter(({ onlyFor }) => onlyFor === user)
      .map((message) => JSON.stringify(message.blocks));
  /** The message with such a button that this person alone is shown for what was done. */
  async function whisperedTo(user: string, actionId: string, act: () => Promise<unknown>) {
    const seen = new Set(slack.server.messages(CHANNEL, user).map(({ ts }) => ts));
    await act();
    return waitFor(`a button for ${user}`, () =>
      slack.server
        .messages(CHANNEL, user)
        .find(
          ({ ts, onlyFor, blocks }) =>
            onlyFor === user && !seen.has(ts) && JSON.stringify(blocks).includes(`"${actionId}`),
        ),
    );
  }
  /** Waits for one more whisper than there was before something was done. */
  async function whisperAfter(user: string, act: () => Promise<unknown>): Promise<string> {
    const before = whispersTo(user).length;
    await act();
    return waitFor(`a word to ${user}`, () => whispersTo(user)[before]);
  }
  /** Resolves when the bot has worked off what it took in this thread until now: its turns there are in order. */
  async function caughtUp(root: string, bot: Service = house.bot): Promise<void> {
    const ts = slack.server.say(CHANNEL, ana.id, 'help', root);
    const [, mention] = slack.mentionEvents(ts, ana.id, `${AT_BOT} help`);
    await slack.postEvent({ ...mention, thread_ts: root }, { bot: bot.url });
    await waitFor('help', () =>
      house.logged('turn worked out', { event: `slack:${WORKSPACE.teamId}:${CHANNEL}:${ts}` }),
    );
  }
  const proposedIn = async (root: string) =>
    (await house.stack.transfers.listByUser(userIdOf('ana'), 100)).filter(
      ({ thread }) => thread.platform === 'slack' && thread.threadTs === root,
    );

  it('takes a mention to a file at the destination, by a signed click', async () => {
    const asked = await house.requestTransfer('ana', request('walk.xlsx'));
    expect(await house.record(asked.transferId)).toMatchObject({ status: 'pending_approval' });
    await house.approve('bob', asked);
    const done = await house.settled(asked.transferId, 'completed');
    expect(done.decision?.by.userId).toBe(userIdOf('bob'));
    expect(await house.stack.ftp.read('/acme/walk.xlsx')).toEqual(await house.stack.readObject(BUCKET, KEY));

    const thread = (await house.threadOf(asked.root)).map(shownIn);
    expect(thread).toHaveLength(3);
    expect(thread[0]).toContain('Approved by');
    expect(thread[1]).toContain('100 %');
    expect(thread[2]).toContain('Delivered');
    expect((await house.threadOf(asked.root)).flatMap(buttonsOf)).toEqual([]);
    // `message` came beside `app_mention`.
    expect(await proposedIn(asked.root.ts)).toHaveLength(1);
  });

  describe('the door', () => {
    const now = () => Math.floor(Date.now() / 1_000);
    it.each([
      ['a wrong signature', () => ({ secret: 'not-the-secret' }), /signature mismatch/],
      ['a timestamp of six minutes ago', () => ({ timestamp: now() - 360 }), /5 minutes/],
    ])('answers %s with 401, logs it and does nothing', async (_what, delivery, why) => {
      const root = slack.server.say(CHANNEL, ana.id, 'forged');
      const forged = slack.mentionEvents(root, ana.id, `${AT_BOT} ${request('forged.xlsx')}`);
      for (const event of forged) expect((await slack.postEvent(event, delivery())).status).toBe(401);
      await waitFor('a warning in the log', () => house.logged(why, { level: 'warn' }));
      await caughtUp(root);
      expect(await proposedIn(root)).toEqual([]);
    });

    it('answers Slack’s question whether the address is ours', async () => {
      const response = await postSignedJson(
        { url: `${house.bot.url}/slack/events`, secret: SLACK_APP.signingSecret },
        { type: 'url_verification', challenge: 'is it you?', token: 't' },
      );
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('is it you?');
    });
  });

  describe('with two bots', () => {
    let bots: readonly Service[];
    beforeAll(async () => {
      bots = [house.bot, await house.start('bot')];
    });
    afterAll(() => bots[1]?.stop());

    it('proposes once, however often and to whichever of them an event is delivered', async () => {
      const root = slack.server.say(CHANNEL, ana.id, 'again and again');
      const events = slack.mentionEvents(root, ana.id, `${AT_BOT} ${request('once.xlsx')}`);
      const posts = [0, 1, 2].flatMap((retryNum) =>
        bots.flatMap(({ url: bot }) => events.map((event) => slack.postEvent(event, { bot, retryNum }))),
      );
      for (const response of await Promise.all(posts)) expect(response.status).toBe(200);
      for (const bot of bots) await caughtUp(root, bot);
      expect(await proposedIn(root)).toHaveLength(1);
      expect((await house.threadOf(root)).filter((message) => buttonsOf(message).length > 0)).toHaveLength(1);
    });

    it('lets one of forty clicks decide, and tells the others who did', async () => {
      const { transferId, card } = await house.requestTransfer('ana', request('forty.xlsx'));
      const { actionId, value } = house.button(card, 'approve');
      const clicks = Array.from({ length: 40 }, (_, index) =>
        slack.postClick(
          {
            user: index % 3 ? bob.id : cleo.id,
            channel: CHANNEL,
            messageTs: card.ts,
            actionId: index % 4 ? actionId : 'reject',
            value,
          },
          { bot: bots[index % 2]?.url },
        ),
      );
      for (const response of await Promise.all(clicks)) expect(response.status).toBe(200);
      const decided = await waitFor('the decision', async () => (await house.record(transferId)).decision);
      const ended = await house.settled(
        transferId,
        decided.outcome === 'approved' ? 'completed' : 'rejected',
      );
      expect(
        ended.history.filter(({ status }) => status === 'approved' || status === 'rejected'),
      ).toHaveLength(1);
      expect(ended.history.filter(({ status }) => status === 'queued').length).toBeLessThanOrEqual(1);
    });
  });

  describe('a click', () => {
    it.each([
      ['no value of ours', () => 'approve everything', 'do not know this button'],
      [
        'a transfer that never was',
        (hash: string) => JSON.stringify({ t: 'TRF-0000000000', h: hash }),
        'do not know',
      ],
      [
        'another plan',
        (_: string, id: string) => JSON.stringify({ t: id, h: '0'.repeat(32) }),
        'has changed since',
      ],
    ])('with %s decides nothing, and the clicker is told', async (_what, forge, words) => {
      const { transferId, card } = await house.requestTransfer('ana', request('forged-click.xlsx'));
      const { planHash } = await house.record(transferId);
      const said = await whisperAfter(bob.id, () =>
        house.press('bob', card, { blockId: 'b', actionId: 'approve', value: forge(planHash, transferId) }),
      );
      expect(said).toContain(words);
      expect(await house.record(transferId)).toMatchObject({ status: 'pending_approval' });
    });

    it.each(DOUBTFUL.map(({ id, what }) => [what, id] as const))(
      'by %s decides nothing, although the policy names them',
      async (_what, user) => {
        const { transferId, card } = await house.requestTransfer('ana', request('doubtful.xlsx'));
        const { actionId, value } = house.button(card, 'approve');
        const click = { user, channel: CHANNEL, messageTs: card.ts, actionId, value };
        expect(await whisperAfter(user, () => slack.postClick(click))).toMatch(/not open to|deactivated/);
        expect(await house.record(transferId)).toMatchObject({ status: 'pending_approval' });
      },
    );

    it('on a card that is decided changes nothing, and the clicker is told who decided', async () => {
      const asked = await house.requestTransfer('ana', request('second-click.xlsx'));
      const button = house.button(asked.card, 'approve');
      await house.press('bob', asked.card, 'reject');
      await house.recordWith(asked.transferId, 'rejected', ({ status }) => status === 'rejected');
      expect(await whisperAfter(cleo.id, () => house.press('cleo', asked.card, button))).toContain(
        'already rejected',
      );
      expect((await house.settled(asked.transferId, 'rejected')).decision?.by.userId).toBe(userIdOf('bob'));
    });
  });

  it.each(DOUBTFUL.map(({ id, what }) => [what, id] as const))(
    'lets %s ask for nothing',
    async (_what, user) => {
      const root = slack.server.say(CHANNEL, user, 'please');
      const [event] = slack.mentionEvents(root, user, `${AT_BOT} ${request('stranger.xlsx')}`);
      const said = await whisperAfter(user, () => slack.postEvent(event ?? {}));
      expect(said).toMatch(/not open to|deactivated/);
      expect(await house.stack.transfers.listByUser(`slack:${WORKSPACE.teamId}:${user}`, 10)).toEqual([]);
    },
  );

  it('takes slash commands: an answer for the asker alone, a proposal for all', async () => {
    const response = await slack.postCommand(dan.id, request('slash.xlsx'));
    expect(await response.json()).toMatchObject({ response_type: 'ephemeral' });
    const proposed = await waitFor('the proposal', async () =>
      (await house.stack.transfers.listByUser(userIdOf('dan'), 10)).find(
        ({ messages }) => messages.length > 0,
      ),
    );
    const ref = proposed.messages[0]?.ref;
    const card = slack.server.messages(CHANNEL).find(({ ts }) => ts === ref?.messageId);
    expect(JSON.stringify(card?.blocks)).toContain('Approval needed');
    expect(card?.thread_ts).toBeUndefined();
    expect(await whisperAfter(dan.id, () => slack.postCommand(dan.id, 'status'))).toContain(
      proposed.transferId,
    );
  });

  it('shows all what the asker chose in the answer to a slash command', async () => {
    const question = await whisperedTo(dan.id, 'choose', () =>
      slack.postCommand(dan.id, 'send q3-report.pdf to acme-ftp'),
    );
    const [choice] = buttonsOf({ ts: question.ts, blocks: question.blocks as { type: string }[] });
    if (!choice) throw new Error('no choice');
    const before = new Set(slack.server.messages(CHANNEL).map(({ ts }) => ts));
    const { actionId, value } = choice;
    await slack.postClick({ user: dan.id, channel: CHANNEL, messageTs: question.ts, actionId, value });
    const card = await waitFor('the proposal, for Bob', () =>
      slack.server
        .messages(CHANNEL, bob.id)
        .find(({ ts, blocks }) => !before.has(ts) && JSON.stringify(blocks).includes('Approval needed')),
    );
    expect(card).not.toHaveProperty('onlyFor');
    expect(card.thread_ts).toBeUndefined();
    expect(slack.server.messages(dan.dm)).toEqual([]);
  });

  it('posts everything once when Slack throttles', async () => {
    slack.server.fail('chat.postMessage', { kind: 'throttle', retryAfter: 1 });
    const asked = await house.requestTransfer('ana', request('throttled.xlsx'));
    slack.server.fail('chat.postMessage', { kind: 'throttle', retryAfter: 1 });
    slack.server.fail('chat.update', { kind: 'throttle', retryAfter: 1 });
    await house.approve('bob', asked);
    await house.settled(asked.transferId, 'completed');
    const thread = (await house.threadOf(asked.root)).map(shownIn);
    expect(thread).toEqual([
      expect.stringContaining('Approved by'),
      expect.stringContaining('100 %'),
      expect.stringContaining('Delivered'),
    ]);
  });

  it('asks for approval in the channel of the policy what was asked for in direct messages, and closes it there', async () => {
    await house.say('ana', request('from-dm.xlsx'), { channel: ana.dm });
    const pending = await waitFor('the proposal', async () =>
      (await house.stack.transfers.listByUser(userIdOf('ana'), 5)).find(
        ({ messages, plan }) => messages.length > 0 && plan.preview[0]?.targetPath.endsWith('from-dm.xlsx'),
      ),
    );
    const { messageId } = pending.messages[0]?.ref ?? { messageId: '' };
    const cardNow = () => slack.server.messages(CHANNEL).find(({ ts }) => ts === messageId);
    expect(JSON.stringify(cardNow()?.blocks)).toContain('Approval needed');

    // Bob looks at it in his direct messages: what can be decided there must be closed there too.
    await house.say('bob', `status ${pending.transferId}`, { channel: bob.dm });
    await waitFor('the status', () => slack.server.messages(bob.dm).find(({ bot_id }) => bot_id));

    const { value } = buttonsOf({ ts: '', blocks: cardNow()?.blocks as { type: string }[] })[0] ?? {
      value: '',
    };
    await slack.postClick({
      user: bob.id,
      channel: CHANNEL,
      messageTs: messageId,
      actionId: 'approve',
      value,
    });
    await house.settled(pending.transferId, 'completed');
    expect(JSON.stringify(cardNow()?.blocks)).toContain('Approved by');
    const everywhere = [CHANNEL, ana.dm, bob.dm].flatMap((channel) => slack.server.messages(channel));
    const open = everywhere.filter(({ blocks }) =>
      buttonsOf({ ts: '', blocks: (blocks ?? []) as { type: string }[] }).some(
        ({ actionId, value: of }) => actionId === 'approve' && of.includes(pending.transferId),
      ),
    );
    expect(open).toEqual([]);
  });
});
