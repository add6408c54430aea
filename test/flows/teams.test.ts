/** The walk in Teams, by our fake Bot Connector; and the one in which Ana asks in Slack and Bob approves in Teams. */
import { describe, expect, it } from 'vitest';
import { TEAMS_CHANNEL, TEAMS_PEOPLE, teamsUserId } from '../../infra/local/local-teams.ts';
import { PEOPLE, TRANSFERS_CHANNEL, WORKSPACE } from '../../infra/local/slack-workspace.ts';
import type { TeamsMessage } from '../fakes/teams-connector.ts';
import { TEAMS_TENANT } from '../fakes/teams-world.ts';
import { changePolicy, type HouseOptions, shownIn, useHouse, userIdOf, waitFor } from '../support/house.ts';
import { buttonOf, buttonsOf, requestSummaryAs, shown, teamsHandsOf } from '../support/teams-hands.ts';

const BUCKET = 'finance-exports';
const KEY = 'reports/2026/Q3/summary.xlsx';
const { ana, bob, cleo, dan } = TEAMS_PEOPLE;
/** What a crash leaves is taken over within seconds. */
const SHORT = { LEASE_SECONDS: '3', RECONCILE_SECONDS: '1' };
const ONLY_TEAMS: HouseOptions = { slack: 'none', teams: 'fake', bot: SHORT, worker: SHORT };

describe('the walk in Teams', () => {
  const house = useHouse(ONLY_TEAMS);
  const hands = teamsHandsOf(house);

  it('goes from a mention over an approval to the file, and answers in the personal chat', async () => {
    const { teams, ask, press } = hands;
    hands.connect();
    const { said, card, transferId } = await ask(ana, requestSummaryAs('walk.xlsx'));
    const { thread } = await house.recordWith(
      transferId,
      'ticketed',
      ({ tickets }) => tickets.user.number !== undefined && tickets.audit.number !== undefined,
    );
    expect(thread).toMatchObject({ platform: 'teams', conversationId: said.conversationId });

    const seen = buttonOf(card, 'approve');
    const refused = await press(ana, card, 'approve');
    expect(refused).toMatchObject({
      status: 200,
      body: {
        statusCode: 200,
        type: 'application/vnd.microsoft.activity.message',
        value: expect.stringContaining('somebody else has to decide'),
      },
    });
    const stranger = await press(dan, card, 'approve');
    expect(stranger.body).toMatchObject({ value: expect.stringContaining('not among those') });

    const approved = await press(bob, card, 'approve');
    expect(approved).toMatchObject({
      status: 200,
      body: { statusCode: 200, type: 'application/vnd.microsoft.card.adaptive', value: { version: '1.5' } },
    });
    expect(JSON.stringify(approved.body)).toContain('Approved');
    expect(JSON.stringify(approved.body)).not.toContain('Action.Execute');

    const ended = await house.settled(transferId, 'completed');
    expect(ended).toMatchObject({
      requester: { userId: teamsUserId('ana') },
      decision: { by: { userId: teamsUserId('bob') } },
    });
    const messages = teams().messages(said.conversationId);
    expect(messages).toHaveLength(3);
    expect(messages.flatMap(buttonsOf)).toEqual([]);
    expect(shown(messages[2] as TeamsMessage)).toContain('/acme/walk.xlsx');
    const source = await house.stack.readObject(BUCKET, KEY);
    expect(source.equals(await house.stack.ftp.read('/acme/walk.xlsx'))).toBe(true);

    const late = await teams().people.click(cleo, card, seen);
    expect(late.body).toMatchObject({ value: expect.stringContaining('already approved this') });

    const asked = await teams().people.write(ana, 'where is my transfer?');
    await hands.messageWith(asked.conversationId, transferId);
    expect(teams().personalMessages(bob)).toHaveLength(0);
  });

  it('answers what is delivered twice once, and approves once of many clicks', async () => {
    const { teams, ask, press } = hands;
    hands.connect();
    const { said, card, transferId } = await ask(ana, requestSummaryAs('twice.xlsx'));
    await Promise.all([teams().people.deliver(said.activity), teams().people.deliver(said.activity)]);
    const clicks = await Promise.all(
      Array.from({ length: 10 }, (_, i) => press(i % 2 ? bob : cleo, card, 'approve')),
    );
    expect(clicks.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const ended = await house.settled(transferId, 'completed');
    expect(ended.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(teams().messages(said.conversationId)).toHaveLength(3);
    const [first] = clicks;
    const again = await teams().people.deliver(first?.activity ?? {});
    expect(again.body).toMatchObject({ value: 'I have this click already.' });
  });

  it('does it once with two bots, to whichever of them Teams delivers', async () => {
    const { teams, press } = hands;
    const urls = [house.bot.url, (await house.start('bot')).url];
    const toEach = <T>(count: number, send: (i: number) => Promise<T>) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => {
          teams().people.connect({ url: `${urls[i % urls.length]}/api/messages` });
          return send(i);
        }),
      );
    hands.connect();
    const said = await teams().people.mention(ana, TEAMS_CHANNEL.id, requestSummaryAs('two-bots.xlsx'));
    const again = await toEach(4, () => teams().people.deliver(said.activity));
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const card = await hands.messageWith(said.conversationId, '"verb":"approve"');
    const { t: transferId } = JSON.parse(buttonOf(card, 'approve').value) as { t: string };
    const clicks = await toEach(12, (i) => press(i % 3 ? bob : cleo, card, 'approve'));
    // Each is answered, with the card or with a sentence.
    expect(clicks.map(({ body }) => (body as { statusCode?: number }).statusCode)).toEqual(
      Array(12).fill(200),
    );
    const ended = await house.settled(transferId, 'completed');
    expect(ended.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(teams().messages(said.conversationId)).toHaveLength(3);
    await house.bot.stop();
  });

  it('rejects, cancels, asks back and refuses in words', async () => {
    const { teams, ask, press } = hands;
    hands.connect();
    const rejected = await ask(ana, requestSummaryAs('rejected.xlsx'));
    await press(bob, rejected.card, 'reject');
    await house.settled(rejected.transferId, 'rejected');

    const withdrawn = await ask(ana, requestSummaryAs('withdrawn.xlsx'));
    const answer = await teams().people.mention(
      ana,
      withdrawn.said.conversationId,
      `cancel ${withdrawn.transferId}`,
    );
    expect(answer.status).toBe(200);
    await house.recordWith(withdrawn.transferId, 'withdrawn', ({ status }) => status === 'rejected');

    const question = await teams().people.mention(
      ana,
      TEAMS_CHANNEL.id,
      'send q3-report.pdf in finance-exports to acme-ftp',
    );
    const offered = await waitFor('the choices, for Ana alone', () =>
      teams()
        .personalMessages(ana)
        .find((message) => shown(message).includes('"verb":"choose"')),
    );
    expect(teams().messages(question.conversationId)).toHaveLength(0);
    const chosen = await press(ana, offered, 'choose');
    expect(chosen).toMatchObject({ status: 200, body: { statusCode: 200 } });
    // What she chose in the personal chat is answered where she had asked.
    await hands.messageWith(question.conversationId, '"verb":"approve"');

    const refused = await teams().people.mention(
      ana,
      TEAMS_CHANNEL.id,
      'send s3://legal-docs/contracts/acme-2026.pdf to acme-ftp',
    );
    await waitFor('the answer, for Ana alone', () =>
      teams()
        .personalMessages(ana)
        .find((message) => shown(message).includes('There is no bucket')),
    );
    expect(teams().messages(refused.conversationId)).toHaveLength(0);
  });

  it('posts a card again rather than never when the bot dies before it knows of it, and both decide once', async () => {
    const { teams, press } = hands;
    hands.connect();
    teams().fail('send', { kind: 'hang' });
    const said = await teams().people.mention(ana, TEAMS_CHANNEL.id, requestSummaryAs('unknown.xlsx'));
    const forgotten = await hands.messageWith(said.conversationId, '"verb":"approve"');
    await house.bot.kill();
    await house.start('bot');
    hands.connect();
    await waitFor('the card again', () => teams().messages(said.conversationId).length === 2, {
      withinMs: 60_000,
    });
    const { t: transferId } = JSON.parse(buttonOf(forgotten, 'approve').value) as { t: string };
    const approved = await press(bob, forgotten, 'approve');
    expect(approved.body).toMatchObject({ type: 'application/vnd.microsoft.card.adaptive' });
    const late = await press(cleo, forgotten, 'approve');
    expect(late.body).toMatchObject({ value: expect.stringContaining('already approved this') });
    const ended = await house.settled(transferId, 'completed');
    expect(ended.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(
      house.stack.serviceNow.incidents().filter(({ correlationId }) => correlationId.startsWith(transferId)),
    ).toHaveLength(2);
    expect(teams().messages(said.conversationId)).toHaveLength(4);
  }, 120_000);

  it('loses no click when the bot dies right after it', async () => {
    const { ask, press } = hands;
    hands.connect();
    const { card, transferId, said } = await ask(ana, requestSummaryAs('crash.xlsx'));
    const { bot } = house;
    await Promise.allSettled([
      press(bob, card, 'approve'),
      house
        .recordWith(transferId, 'decided', ({ decision }) => decision !== undefined)
        .then(() => bot.kill()),
    ]);
    await house.start('bot');
    hands.connect();
    const ended = await house.settled(transferId, 'completed', { withinMs: 60_000 });
    expect(ended.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(hands.teams().messages(said.conversationId).length).toBeGreaterThanOrEqual(3);
  }, 90_000);
});

describe('Slack and Teams together', () => {
  const house = useHouse({
    teams: 'fake',
    prepare: (stack) =>
      changePolicy(stack, (policy) => {
        policy.approval = { ...policy.approval, channel: `teams:${TEAMS_TENANT}:${TEAMS_CHANNEL.id}` };
      }),
  });
  const hands = teamsHandsOf(house);

  it('lets Bob approve in Teams what Ana asked for in Slack, and shows Ana both lists', async () => {
    hands.connect();
    const { teams, press } = hands;
    await house.say('ana', requestSummaryAs('across.xlsx'), { channel: PEOPLE.ana.dm });
    const card = await waitFor('the proposal in the approvals channel of Teams', () =>
      teams()
        .all()
        .find((message) => shown(message).includes('"verb":"approve"')),
    );
    const { t: transferId } = JSON.parse(buttonOf(card, 'approve').value) as { t: string };

    // Ana has the same address in both, so she is told that she asked for it.
    const own = await press(ana, card, 'approve');
    expect(own.body).toMatchObject({ value: expect.stringContaining('somebody else has to decide') });
    const approved = await press(bob, card, 'approve');
    expect(approved.body).toMatchObject({ type: 'application/vnd.microsoft.card.adaptive' });
    const ended = await house.settled(transferId, 'completed');
    expect(ended).toMatchObject({
      requester: { userId: userIdOf('ana') },
      decision: { by: { userId: teamsUserId('bob') } },
    });
    expect(new Set(ended.messages.map(({ ref }) => ref.thread.platform))).toEqual(new Set(['teams']));
    expect(teams().messages(card.conversationId)).toHaveLength(3);

    const { transferId: second } = await hands.ask(ana, requestSummaryAs('second.xlsx'));
    await teams().people.write(ana, 'history');
    await waitFor('Ana’s Slack transfer in Teams', () =>
      teams()
        .personalMessages(ana)
        .find((message) => [transferId, second].every((id) => shown(message).includes(id))),
    );
    await house.say('ana', 'history', { channel: PEOPLE.ana.dm });
    await waitFor('Ana’s Teams transfer in Slack', async () =>
      (await house.slack.people.messages(PEOPLE.ana.dm)).find((message) =>
        [transferId, second].every((id) => shownIn(message).includes(id)),
      ),
    );
  });
});

describe('a direct message whose requester nobody in the approvals channel could be told apart from', () => {
  const house = useHouse({
    teams: 'fake',
    // Addresses of the tenant do not count, so Ana is known by her account alone.
    bot: { TEAMS_EMAIL_TENANTS: '11111111-2222-4333-8444-555555555555' },
    prepare: (stack) =>
      changePolicy(stack, (policy) => {
        policy.approval = {
          ...policy.approval,
          channel: `slack:${WORKSPACE.teamId}:${TRANSFERS_CHANNEL.id}`,
        };
        policy.groups.requesters?.push(teamsUserId('ana'));
      }),
  });
  const hands = teamsHandsOf(house);

  it('is refused at once, with where to ask instead', async () => {
    hands.connect();
    await hands.teams().people.write(ana, requestSummaryAs('nobody.xlsx'));
    await hands.personalMessageWith(
      ana,
      'no email address that I may trust',
      'Please ask in a channel of your own organisation here by mentioning me',
    );
    expect(await house.slack.people.messages(TRANSFERS_CHANNEL.id)).toEqual([]);

    // There it is proposed, and Slack's people are as well off as before.
    const { card } = await hands.ask(ana, requestSummaryAs('somebody.xlsx'));
    expect(shown(card)).toContain('somebody.xlsx');
    await house.say('ana', requestSummaryAs('in-slack.xlsx'), { channel: PEOPLE.ana.dm });
    await waitFor('the proposal in the approvals channel of Slack', async () =>
      (await house.slack.people.messages(TRANSFERS_CHANNEL.id)).find((message) =>
        shownIn(message).includes('in-slack.xlsx'),
      ),
    );
  });
});
