/** The demo's story in the local Slack. */
import type { LocalSlack } from './local-slack.ts';
import { buttonsOf, type SlackMessage } from './slack-people.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL } from './slack-workspace.ts';
import type { Stage, StageMessage } from './stage.ts';
import { messageLines } from './terminal.ts';

const approveOf = (message: SlackMessage) =>
  buttonsOf(message).find(({ actionId }) => actionId === 'approve');

const staged = (message: SlackMessage): StageMessage => ({
  id: message.ts,
  lines: messageLines(message),
  approve: approveOf(message)?.value,
  content: JSON.stringify(message.blocks),
});

export function slackStage({ people }: LocalSlack): Stage {
  const { ana, bob } = PEOPLE;
  const channel = TRANSFERS_CHANNEL.id;
  let root = '';
  let asked = '';
  return {
    place: `#${TRANSFERS_CHANNEL.name}`,
    async ask(text) {
      const message = { channel, user: ana.id, text: `<@${SLACK_APP.botUserId}> ${text}` };
      root = (await people.sendMessage(message)).ts;
    },
    async thread() {
      const all = await people.messages(channel);
      return all.filter((message) => message.thread_ts === root && message.bot_id).map(staged);
    },
    async approve({ id }) {
      const message = (await people.messages(channel)).find(({ ts }) => ts === id);
      const button = message && approveOf(message);
      if (!button) throw new Error('the card has no Approve button');
      await people.interact({ channel, messageTs: id, user: bob.id, button });
    },
    async askPrivately(text) {
      asked = (await people.sendMessage({ channel: ana.dm, user: ana.id, text })).ts;
    },
    async answers() {
      const all = await people.messages(ana.dm);
      return all.filter((message) => message.bot_id && message.ts > asked).map(staged);
    },
  };
}
