/** The demo's story in our fake Teams. */
import { styleText } from 'node:util';
import { buttonsIn, linesIn } from '../../test/fakes/adaptive-card.ts';
import type { TeamsMessage } from '../../test/fakes/teams-connector.ts';
import { type LocalTeams, TEAMS_CHANNEL, TEAMS_PEOPLE } from './local-teams.ts';
import type { Stage, StageMessage } from './stage.ts';

const cardOf = (message: TeamsMessage) => message.activity.attachments?.[0]?.content;
const approveOf = (message: TeamsMessage) =>
  buttonsIn(cardOf(message)).find(({ verb }) => verb === 'approve');

function staged(message: TeamsMessage): StageMessage {
  const [header = '', ...lines] = linesIn(cardOf(message));
  return {
    id: message.id,
    lines: [styleText('bold', header), ...lines],
    approve: approveOf(message)?.value,
    content: JSON.stringify(message.activity),
  };
}

/** @param botUrl where the bot answers HTTP */
export function teamsStage(teams: LocalTeams, botUrl: string): Stage {
  const { ana, bob } = TEAMS_PEOPLE;
  teams.people.connect({ url: `${botUrl}/api/messages` });
  let thread = '';
  let before = 0;
  const taken = ({ status }: { readonly status: number }) => {
    if (status !== 200) throw new Error(`the bot answered Teams with ${status}`);
  };
  return {
    place: `the channel ${TEAMS_CHANNEL.name} of Teams`,
    async ask(text) {
      const said = await teams.people.mention(ana, TEAMS_CHANNEL.id, text);
      taken(said);
      thread = said.conversationId;
    },
    thread: async () => teams.messages(thread).map(staged),
    async approve({ id }) {
      const message = teams.messages(thread).find((one) => one.id === id);
      const button = message && approveOf(message);
      if (!button) throw new Error('the card has no Approve button');
      taken(await teams.people.click(bob, message, button));
    },
    async askPrivately(text) {
      before = teams.personalMessages(ana).length;
      taken(await teams.people.write(ana, text));
    },
    answers: async () => teams.personalMessages(ana).slice(before).map(staged),
  };
}
