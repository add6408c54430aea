/** Hands to use a house's fake Teams with: asking, pressing and looking, as its people would. */
import { TEAMS_CHANNEL } from '../../infra/local/local-teams.ts';
import { buttonsIn, type CardButton } from '../fakes/adaptive-card.ts';
import type { TeamsMessage } from '../fakes/teams-connector.ts';
import { type House, waitFor } from './house.ts';

/** A new name at the destination each time, for acme-ftp refuses a name that is taken. */
export const requestSummaryAs = (name: string): string =>
  `send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp as ${name}`;

export const cardOf = (message: TeamsMessage): unknown => message.activity.attachments?.[0]?.content;

/** Everything that a message shows, as one text. */
export const shown = (message: TeamsMessage): string => JSON.stringify(message.activity);

export const buttonsOf = (message: TeamsMessage): CardButton[] => buttonsIn(cardOf(message));

export function buttonOf(message: TeamsMessage, verb: string): CardButton {
  const found = buttonsOf(message).find((one) => one.verb === verb);
  if (!found) throw new Error(`no button ${verb} in ${shown(message)}`);
  return found;
}

/** Of a house that has a fake Teams. */
export function teamsHandsOf(house: House) {
  const teams = () => {
    const { teams } = house.stack;
    if (!teams) throw new Error('this house has no Teams');
    return teams;
  };
  /** Lets Teams deliver to the bot that was started last. */
  const connect = () => teams().people.connect({ url: `${house.bot.url}/api/messages` });
  /** The first message there that shows all these words. */
  const messageWith = (conversationId: string, ...words: string[]) =>
    waitFor(`a message with ${words.join(', ')}`, () =>
      teams()
        .messages(conversationId)
        .find((message) => words.every((word) => shown(message).includes(word))),
    );
  const personalMessageWith = (who: string, ...words: string[]) =>
    waitFor(`a personal message with ${words.join(', ')}`, () =>
      teams()
        .personalMessages(who)
        .find((message) => words.every((word) => shown(message).includes(word))),
    );
  /** Mentions the bot with a request and waits for the card with the buttons. */
  async function ask(who: string, text: string, conversationId: string = TEAMS_CHANNEL.id) {
    const said = await teams().people.mention(who, conversationId, text);
    if (said.status !== 200 || said.body !== undefined) throw new Error(`answered with ${said.status}`);
    const card = await waitFor('the proposal', () =>
      teams()
        .messages(said.conversationId)
        .findLast((message) => Number(message.id) > Number(said.activity.id) && hasApprove(message)),
    );
    const { t: transferId } = JSON.parse(buttonOf(card, 'approve').value) as { t: string };
    return { said, card, transferId };
  }
  const hasApprove = (message: TeamsMessage) => buttonsOf(message).some(({ verb }) => verb === 'approve');
  const press = (who: string, message: TeamsMessage, verb: string) =>
    teams().people.click(who, message, buttonOf(message, verb));
  return { teams, connect, messageWith, personalMessageWith, ask, press };
}
