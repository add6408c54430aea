/** The walk in Teams, by our fake Bot Connector; and the one in which Ana asks in Slack and Bob approves in Teams. */
import { describe, expect, it } from 'vitest';
import { hashPlan } from '../../core/transfer.ts';
import { TEAMS_CHANNEL, TEAMS_PEOPLE, teamsUserId } from '../../infra/local/local-teams.ts';
import { PEOPLE } from '../../infra/local/slack-workspace.ts';
import { buttonsIn, type CardButton } from '../fakes/adaptive-card.ts';
import type { TeamsMessage } from '../fakes/teams-connector.ts';
import { TEAMS_TENANT } from '../fakes/teams-world.ts';
import {
  changePolicy,
  type House,
  type HouseOptions,
  shownIn,
  useHouse,
  userIdOf,
  waitFor,
} from '../support/house.ts';

const BUCKET = 'finance-exports';
const KEY = 'reports/2026/Q3/summary.xlsx';
const { ana, bob, cleo, dan } = TEAMS_PEOPLE;
/** A new name at the destination each time, for acme-ftp refuses a name that is taken. */
const request = (name: string) => `send s3://${BUCKET}/${KEY} to acme-ftp as ${name}`;

const ONLY_TEAMS: HouseOptions = { slack: 'none', teams: 'fake' };

function handsOf(house: House) {
  const teams = () => {
    const { teams } = house.stack;
    if (!teams) throw new Error('this house has no Teams');
    return teams;
  };
  const connect = (url = house.bot.url) => teams().people.connect({ url: `${url}/api/messages` });
  const cardOf = (message: TeamsMessage) => message.activity.attachments?.[0]?.content;
  const shown = (message: TeamsMessage) => JSON.stringify(message.activity);
  const button = (message: TeamsMessage, verb: string): CardButton => {
    const found = buttonsIn(cardOf(message)).find((one) => one.verb === verb);
    if (!found) throw new Error(`no button ${verb} in ${shown(message)}`);
    return found;
  };
  const messageWith = (conversationId: string, ...words: string[]) =>
    waitFor(`a message with ${words.join(', ')}`, () =>
      teams()
        .messages(conversationId)
        .find((message) => words.every((word) => shown(message).includes(word))),
    );
  async function ask(who: string, text: string, conversationId: string = TEAMS_CHANNEL.id) {
    const said = await teams().people.mention(who, conversationId, text);
    expect(said).toMatchObject({ status: 200, body: undefined });
    const card = await messageWith(said.conversationId, '"verb":"approve"');
    const { t: transferId } = JSON.parse(button(card, 'approve').value) as { t: string };
    return { said, card, transferId };
  }
  const press = (who: string, message: TeamsMessage, verb: string) =>
    teams().people.click(who, message, button(message, verb));
  return { teams, connect, shown, button, messageWith, ask, press, cardOf };
}

describe('the walk in Teams', () => {
  const house = useHouse(ONLY_TEAMS);
  const hands = handsOf(house);

  it('goes from a mention over an approval to the file, and answers in the personal chat', async () => {
    const { teams, ask, press, shown, button } = hands;
    hands.connect();
    const { said, card, transferId } = await ask(ana, request('walk.xlsx'));
    const { thread } = await house.recordWith(
      transferId,
      'ticketed',
      ({ tickets }) => tickets.user.number !== undefined && tickets.audit.number !== undefined,
    );
    expect(thread).toMatchObject({ platform: 'teams', conversationId: said.conversationId });

    const seen = button(card, 'approve');
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
    expect(messages.flatMap((message) => buttonsIn(hands.cardOf(message)))).toEqual([]);
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
    const { said, card, transferId } = await ask(ana, request('twice.xlsx'));
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

  it('rejects, cancels, asks back and refuses in words', async () => {
    const { teams, ask, press } = hands;
    hands.connect();
    const rejected = await ask(ana, request('rejected.xlsx'));
    await press(bob, rejected.card, 'reject');
    await house.settled(rejected.transferId, 'rejected');

    const withdrawn = await ask(ana, request('withdrawn.xlsx'));
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
        .find((message) => hands.shown(message).includes('"verb":"choose"')),
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
        .find((message) => hands.shown(message).includes('There is no bucket')),
    );
    expect(teams().messages(refused.conversationId)).toHaveLength(0);
  });

  it('greets once where it was added, and knows no forged button', async () => {
    const { teams } = hands;
    hands.connect();
    const greeted = await teams().people.install(ana, TEAMS_CHANNEL.id);
    await teams().people.install(ana, TEAMS_CHANNEL.id);
    expect(greeted.status).toBe(200);
    await waitFor('the greeting', () =>
      teams()
        .callsOf('send')
        .find(({ conversationId }) => conversationId === TEAMS_CHANNEL.id),
    );
    const forged = await teams().people.click(
      bob,
      { id: '1795376915001', conversationId: TEAMS_CHANNEL.id },
      { verb: 'approve', value: JSON.stringify({ t: 'TRF-0000000000', h: hashPlan({} as never) }) },
    );
    expect(forged.body).toMatchObject({ value: expect.stringContaining('do not know this button') });
    const greetings = teams()
      .callsOf('send')
      .filter(({ conversationId }) => conversationId === TEAMS_CHANNEL.id);
    expect(greetings).toHaveLength(1);
  });

  it('loses no click when the bot dies right after it', async () => {
    const { ask, press } = hands;
    hands.connect();
    const { card, transferId, said } = await ask(ana, request('crash.xlsx'));
    const { bot } = house;
    await Promise.allSettled([
      press(bob, card, 'approve'),
      house
        .recordWith(transferId, 'decided', ({ decision }) => decision !== undefined)
        .then(() => bot.kill()),
    ]);
    await house.start('bot', { RECONCILE_SECONDS: '1' });
    hands.connect();
    // The lock under which the dead bot was telling people lapses after a minute.
    const ended = await house.settled(transferId, 'completed', { withinMs: 100_000 });
    expect(ended.history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(hands.teams().messages(said.conversationId).length).toBeGreaterThanOrEqual(3);
  }, 130_000);
});

describe('Slack and Teams together', () => {
  const house = useHouse({
    teams: 'fake',
    prepare: (stack) =>
      changePolicy(stack, (policy) => {
        policy.approval = { ...policy.approval, channel: `teams:${TEAMS_TENANT}:${TEAMS_CHANNEL.id}` };
      }),
  });
  const hands = handsOf(house);

  it('lets Bob approve in Teams what Ana asked for in Slack, and shows Ana both lists', async () => {
    hands.connect();
    const { teams, button, press } = hands;
    await house.say('ana', request('across.xlsx'), { channel: PEOPLE.ana.dm });
    const card = await waitFor('the proposal in the approvals channel of Teams', () =>
      teams()
        .all()
        .find((message) => hands.shown(message).includes('"verb":"approve"')),
    );
    const { t: transferId } = JSON.parse(button(card, 'approve').value) as { t: string };

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

    const { transferId: second } = await hands.ask(ana, request('second.xlsx'));
    await teams().people.write(ana, 'history');
    await waitFor('Ana’s Slack transfer in Teams', () =>
      teams()
        .personalMessages(ana)
        .find((message) => [transferId, second].every((id) => hands.shown(message).includes(id))),
    );
    await house.say('ana', 'history', { channel: PEOPLE.ana.dm });
    await waitFor('Ana’s Teams transfer in Slack', async () =>
      (await house.slack.people.messages(PEOPLE.ana.dm)).find((message) =>
        [transferId, second].every((id) => shownIn(message).includes(id)),
      ),
    );
  });
});
