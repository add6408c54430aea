/** Where people meet the bot in Teams: group chats, the personal chat, and conversations that it is added to and removed from. */
import { describe, expect, it } from 'vitest';
import { hashPlan } from '../../core/transfer.ts';
import { TEAMS_CHANNEL, TEAMS_PEOPLE } from '../../infra/local/local-teams.ts';
import { personalIdOf, TEAMS_TENANT } from '../fakes/teams-world.ts';
import { changePolicy, useHouse, waitFor } from '../support/house.ts';
import { buttonsOf, requestSummaryAs, shown, teamsHandsOf } from '../support/teams-hands.ts';

const { ana, bob, cleo } = TEAMS_PEOPLE;
const GROUP = '19:quarter-end@thread.v2';
const NEW_TEAM = '19:new-team@thread.tacv2';
const SHORT_CHAT = '19:short-lived@thread.v2';
const GUS = '00000000-0000-4000-8000-000000000066';

const house = useHouse({
  slack: 'none',
  teams: 'fake',
  async prepare(stack) {
    for (const id of [GROUP, SHORT_CHAT])
      stack.teams?.addConversation({ id, members: [ana, bob, cleo, GUS] });
    stack.teams?.addConversation({ id: NEW_TEAM, members: [ana, bob], withBot: false });
    stack.teams?.addUser({ aadObjectId: GUS, name: 'Gus', email: 'gus@example.com', userRole: 'guest' });
    await changePolicy(stack, (policy) => {
      policy.approval = { ...policy.approval, channel: `teams:${TEAMS_TENANT}:${TEAMS_CHANNEL.id}` };
      policy.groups.requesters?.push('email:gus@example.com');
    });
  },
});
const hands = teamsHandsOf(house);
const sendsTo = (conversationId: string) =>
  hands
    .teams()
    .callsOf('send')
    .filter((call) => call.conversationId === conversationId);

describe('a group chat', () => {
  it('has requests approved and told in it', async () => {
    hands.connect();
    const { said, card, transferId } = await hands.ask(ana, requestSummaryAs('group.xlsx'), GROUP);
    expect(said.conversationId).toBe(GROUP);
    expect((await hands.press(bob, card, 'approve')).body).toMatchObject({
      type: 'application/vnd.microsoft.card.adaptive',
    });
    await house.settled(transferId, 'completed');
    const messages = hands.teams().messages(GROUP);
    expect(messages).toHaveLength(3);
    expect(messages.flatMap(buttonsOf)).toEqual([]);
    await hands.messageWith(GROUP, 'Delivered', '/acme/group.xlsx');
  });

  it('has nothing to offer to a guest, who is told so alone', async () => {
    hands.connect();
    const before = hands.teams().messages(GROUP).length;
    await hands.teams().people.mention(GUS, GROUP, requestSummaryAs('guest.xlsx'));
    await hands.personalMessageWith(GUS, 'FileFerry is not open to external accounts here');
    expect(hands.teams().messages(GROUP)).toHaveLength(before);
  });
});

describe('the personal chat', () => {
  it('takes a request, whose approval is asked for in the channel of the policy, and tells status and history', async () => {
    hands.connect();
    const { people } = hands.teams();
    await people.write(ana, requestSummaryAs('personal.xlsx'));
    const answer = await hands.personalMessageWith(ana, 'I asked for approval of');
    const transferId = /TRF-[0-9A-Z]{10}/.exec(shown(answer))?.[0] ?? expect.fail();
    const card = await waitFor('the card in the channel', () =>
      hands
        .teams()
        .all()
        .find(
          (message) =>
            message.conversationId.startsWith(TEAMS_CHANNEL.id) && shown(message).includes(transferId),
        ),
    );

    // What is looked at beside the card that is kept in step has no buttons that nobody would close.
    await people.write(bob, `status ${transferId}`);
    const aside = await hands.personalMessageWith(bob, transferId);
    expect(buttonsOf(aside)).toEqual([]);

    await hands.press(bob, card, 'approve');
    await house.settled(transferId, 'completed');
    expect(hands.teams().messages(card.conversationId)).toHaveLength(3);

    await people.write(ana, 'status');
    await hands.personalMessageWith(ana, '✅ Delivered', transferId);
    await people.write(ana, 'history');
    const list = await hands.personalMessageWith(ana, transferId, '"verb":"status"');
    const seen = hands.teams().personalMessages(ana).length;
    const { status, body } = await hands.press(ana, list, 'status');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { value: 'I answered in the conversation.' },
    });
    expect(hands.teams().personalMessages(ana)).toHaveLength(seen + 1);
    await people.write(ana, 'help');
    await hands.personalMessageWith(ana, 'What I can do');
  });
});

describe('being added and removed', () => {
  it('greets once in a team, and says nothing about other members', async () => {
    hands.connect();
    const { people } = hands.teams();
    const told = await people.install(ana, NEW_TEAM);
    expect(told.map(({ status, body }) => [status, body])).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    await waitFor('the greeting', () => sendsTo(NEW_TEAM).length > 0);
    for (const change of ['joins', 'leaves'] as const)
      expect((await people.member(cleo, NEW_TEAM, change)).status).toBe(200);
    await people.install(ana, NEW_TEAM);
    // The bot works off one after another: when this is answered, nothing of the above is under way.
    const forged = await people.click(
      bob,
      { id: '1795376915001', conversationId: NEW_TEAM },
      { verb: 'approve', value: JSON.stringify({ t: 'TRF-0000000000', h: hashPlan({} as never) }) },
    );
    expect(forged.body).toMatchObject({ value: expect.stringContaining('do not know this button') });
    expect(sendsTo(NEW_TEAM)).toHaveLength(1);
    expect(sendsTo(NEW_TEAM)[0]?.body).toMatchObject({ summary: expect.stringContaining('I move files') });
  });

  it('greets in the personal chat of somebody who installs it', async () => {
    hands.connect();
    await hands.teams().people.install(cleo, personalIdOf(cleo));
    await hands.personalMessageWith(cleo, 'What I can do');
    expect(hands.teams().personalMessages(cleo)).toHaveLength(1);
  });

  it('tells the requester personally how it ended where it was removed meanwhile', async () => {
    hands.connect();
    const { people } = hands.teams();
    const { transferId } = await hands.ask(ana, requestSummaryAs('removed.xlsx'), SHORT_CHAT);
    const told = await people.uninstall(ana, SHORT_CHAT);
    expect(told.map(({ status }) => status)).toEqual([200, 200]);
    await waitFor('the log to tell', () => house.logged(/was removed/, { conversationId: SHORT_CHAT }));
    await people.write(ana, `cancel ${transferId}`);
    await house.settled(transferId, 'rejected');
    await hands.personalMessageWith(ana, 'Withdrawn', 'could not post this where you asked');
  });
});
