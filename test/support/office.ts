/** People at work in the fake Slack: they write and click over signed HTTP, and read what FileFerry posts. */
import { z } from 'zod';
import { buttonsOf, type SlackButton } from '../../infra/local/slack-people.ts';
import { PEOPLE, type PersonName, TRANSFERS_CHANNEL } from '../../infra/local/slack-workspace.ts';
import type { Environment } from '../../infra/local/stack-environment.ts';
import { type FakeMessage, SLACK_BOT, type SlackServer } from '../fakes/slack-server.ts';
import { waitFor } from './house.ts';
import { type HttpSlack, startHttpSlack } from './http-slack.ts';

/** Somebody who is in Slack and in no group of the policy. */
const EVE = { id: 'U09EVE', name: 'eve', realName: 'Eve Adler' } as const;
export type Colleague = PersonName | 'eve';
const EVERYBODY = { ...PEOPLE, eve: EVE };

/** A request as its channel shows it. */
export interface Asked {
  /** Timestamp of the person's message, which the thread hangs on. */
  readonly root: string;
  readonly card: FakeMessage;
  readonly transferId: string;
}

export interface Mention {
  /** Timestamp of the message. */
  readonly root: string;
  /** Whether the bot took it; Slack delivers again what it did not take. */
  readonly acknowledged: boolean;
  deliverAgain(): Promise<boolean>;
}

export interface ClickOptions {
  /** Where the bot listens; the one that the office was given unless told. */
  readonly url?: string;
  /** Tells two clicks on the same button apart; each has its own unless told. */
  readonly at?: string;
}

const valueSchema = z.object({ t: z.string() });

/** Everything that a message shows, its fallback included, as one text. */
export const textOf = (message: FakeMessage): string => JSON.stringify([message.text, message.blocks ?? []]);

export class Office {
  readonly #http: HttpSlack;

  private constructor(http: HttpSlack) {
    this.#http = http;
  }

  /** @param botUrl where the bot of the moment listens */
  static async open(botUrl: () => string): Promise<Office> {
    const http = await startHttpSlack(botUrl);
    const { id, name, realName } = EVE;
    http.server.addUser({ id, name, profile: { real_name: realName, display_name: name } });
    const members = [...Object.values(EVERYBODY).map((person) => person.id), SLACK_BOT.userId];
    http.server.addChannel({ id: TRANSFERS_CHANNEL.id, members });
    return new Office(http);
  }

  get slack(): SlackServer {
    return this.#http.server;
  }

  /** For the bot and the worker, who find Slack's Web API there. */
  settings(slackUrl: string): Environment {
    return { ...this.#http.botSettings, SLACK_API_URL: slackUrl };
  }

  /** Mentions the bot in #transfers without waiting for what comes of it. */
  async mention(as: Colleague, text: string): Promise<Mention> {
    const whole = `<@${SLACK_BOT.userId}> ${text}`;
    const root = this.slack.say(TRANSFERS_CHANNEL.id, EVERYBODY[as].id, whole);
    const events = this.#http.mentionEvents(root, EVERYBODY[as].id, whole);
    const deliver = async () => {
      const answers = await Promise.allSettled(events.map((event) => this.#http.postEvent(event)));
      return answers.every((one) => one.status === 'fulfilled' && one.value.status === 200);
    };
    return { root, acknowledged: await deliver(), deliverAgain: deliver };
  }

  /** What the bot wrote in the thread for everybody, oldest first. */
  thread(root: string): FakeMessage[] {
    return this.slack
      .messages(TRANSFERS_CHANNEL.id)
      .filter((message) => message.thread_ts === root && message.bot_id !== undefined);
  }

  /** What the bot wrote in the thread for this person alone. */
  whispers(root: string, to: Colleague): FakeMessage[] {
    return this.slack
      .messages(TRANSFERS_CHANNEL.id, EVERYBODY[to].id)
      .filter((message) => message.thread_ts === root && message.onlyFor !== undefined);
  }

  /** The first message in the thread, or whisper to this person, that shows all these words. */
  reply(root: string, to: Colleague, ...words: string[]): Promise<FakeMessage> {
    return waitFor(`an answer with "${words.join('", "')}"`, () =>
      [...this.thread(root), ...this.whispers(root, to)].find((message) =>
        words.every((word) => textOf(message).includes(word)),
      ),
    );
  }

  /** Mentions the bot and waits for its first reply of any kind. */
  async ask(as: Colleague, text: string): Promise<{ root: string; answer: FakeMessage }> {
    const { root } = await this.mention(as, text);
    const answer = await waitFor(`a reply to "${text.slice(0, 80)}"`, () =>
      [...this.thread(root), ...this.whispers(root, as)].at(0),
    );
    return { root, answer };
  }

  /** The thread's card with the buttons of a decision, once it is there. */
  async proposal(root: string): Promise<Asked> {
    const card = await waitFor('the proposal', () =>
      this.thread(root).find((message) => this.buttonsOf(message).some((one) => one.actionId === 'approve')),
    );
    const { t: transferId } = valueSchema.parse(JSON.parse(this.button(card, 'approve').value));
    return { root, card, transferId };
  }

  /** Mentions the bot with a request and waits for the proposal. */
  async request(as: Colleague, text: string): Promise<Asked> {
    const { root } = await this.mention(as, text);
    return this.proposal(root);
  }

  buttonsOf(message: FakeMessage): SlackButton[] {
    return buttonsOf({ ts: message.ts, blocks: message.blocks as { type: string }[] });
  }

  button(message: FakeMessage, actionId: string): SlackButton {
    const button = this.buttonsOf(message).find((one) => one.actionId === actionId);
    if (!button) throw new Error(`no button ${actionId} in ${textOf(message)}`);
    return button;
  }

  /**
   * Presses a button of a message, or one that it never had.
   *
   * @returns the HTTP status of the bot's answer; 0 when there was none
   */
  async press(
    as: Colleague,
    message: FakeMessage,
    button: SlackButton | string,
    options: ClickOptions = {},
  ): Promise<number> {
    const { actionId, value } = typeof button === 'string' ? this.button(message, button) : button;
    const { ts: messageTs, channel } = message;
    const click = { user: EVERYBODY[as].id, channel, messageTs, actionId, value };
    return this.#http
      .postClick(
        { ...click, ...(options.at && { actionTs: options.at }) },
        options.url ? { bot: options.url } : {},
      )
      .then(
        ({ status }) => status,
        () => 0,
      );
  }

  approve(as: Colleague, { card }: Pick<Asked, 'card'>, options?: ClickOptions): Promise<number> {
    return this.press(as, card, 'approve', options);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}
