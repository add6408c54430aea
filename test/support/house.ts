/** The whole house for a test file: the embedded stack, the bot and the worker as processes, and hands to use them. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { parse, stringify } from 'yaml';
import type { z } from 'zod';
import type { policyConfigSchema } from '../../core/policy-config.ts';
import type { Transfer } from '../../core/transfer.ts';
import { type LogLine, type Service, type ServiceName, startService } from '../../infra/local/services.ts';
import {
  buttonsOf,
  type SlackButton,
  type SlackMessage,
  type SlackPeople,
} from '../../infra/local/slack-people.ts';
import {
  PEOPLE,
  type PersonName,
  SLACK_APP,
  TRANSFERS_CHANNEL,
  WORKSPACE,
} from '../../infra/local/slack-workspace.ts';
import { type Stack, type StackOptions, startStack } from '../../infra/local/stack.ts';
import type { Environment } from '../../infra/local/stack-environment.ts';
import { tidyLog } from '../../infra/local/terminal.ts';

/** How long a probe may go without an answer unless told otherwise, in milliseconds. */
const PATIENCE_MS = 15_000;
const PROBE_EVERY_MS = 25;
/** How many of the services' last lines a failed test shows. */
const SHOWN_LINES = 40;

/** Asked of every start of a service; what is given wins over the stack's own settings. */
type Settings = Environment | ((stack: Stack) => Environment);

export interface HouseOptions extends StackOptions {
  /** Settings of every bot. */
  readonly bot?: Settings;
  /** Settings of every worker. */
  readonly worker?: Settings;
  /** What is started before the tests; both unless given. */
  readonly start?: readonly ServiceName[];
  /** Runs when the stack is up and no service is yet. */
  readonly prepare?: (stack: Stack) => Promise<void>;
  /** Who acts in Slack; the local Slack's people unless given. Asked whenever one of them does something. */
  readonly people?: () => SlackPeople;
}

/** A request as its channel shows it: the person's message, the card with the buttons, and the record's id. */
export interface Requested {
  readonly root: SlackMessage;
  readonly card: SlackMessage;
  readonly transferId: string;
}

export interface WaitOptions {
  /** Milliseconds until it counts as failed. */
  readonly withinMs?: number;
}

/**
 * Asks again and again until there is an answer.
 *
 * @param what is named when it never came
 * @returns the first answer that is neither undefined nor false
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = PATIENCE_MS }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`);
    await delay(PROBE_EVERY_MS);
  }
}

/** A person's user id as FileFerry writes it. */
export const userIdOf = (name: PersonName) => `slack:${WORKSPACE.teamId}:${PEOPLE[name].id}`;

/** Rewrites the policy file of a stack whose services do not run yet. */
export async function changePolicy(
  stack: Stack,
  change: (policy: z.input<typeof policyConfigSchema>) => void,
): Promise<void> {
  const policy = parse(await readFile(stack.configFile, 'utf8'));
  change(policy);
  await writeFile(stack.configFile, stringify(policy));
}

/** Everything that a message shows, as one text. */
export const shownIn = (message: SlackMessage): string =>
  JSON.stringify([message.text ?? '', message.blocks ?? []]);

export class House {
  readonly #options: HouseOptions;
  /** Those that run. */
  readonly #services: Service[] = [];
  /** Every line that any service logged. */
  readonly log: LogLine[] = [];
  #stack: Stack | undefined;

  constructor(options: HouseOptions) {
    this.#options = options;
  }

  get stack(): Stack {
    if (!this.#stack) throw new Error('the stack was not started yet');
    return this.#stack;
  }

  get slack() {
    const { slack } = this.stack;
    if (!slack) throw new Error('this house has no local Slack');
    return slack;
  }

  get #people(): SlackPeople {
    return this.#options.people?.() ?? this.slack.people;
  }

  /** The bot that was started last, of those that run. */
  get bot(): Service {
    return this.#latest('bot');
  }

  /** The worker that was started last, of those that run. */
  get worker(): Service {
    return this.#latest('worker');
  }

  #latest(name: ServiceName): Service {
    const service = this.#services.findLast((one) => one.name === name);
    if (!service) throw new Error(`no ${name} runs`);
    return service;
  }

  /** Opens the house; `useHouse` does. */
  async open(): Promise<void> {
    const { bot, worker, start = ['bot', 'worker'], prepare, people, ...stackOptions } = this.#options;
    this.#stack = await startStack(stackOptions);
    await prepare?.(this.#stack);
    const starts = start.map((name) => this.start(name));
    // None may still be starting when a fault of another closes the house.
    await Promise.allSettled(starts);
    await Promise.all(starts);
  }

  /** Ends the services, then the stack. A worker that is asked to stop would first wait for its poll, for seconds. */
  async close(): Promise<void> {
    await Promise.all(this.#services.map((one) => (one.name === 'worker' ? one.kill() : one.stop())));
    await this.#stack?.stop();
  }

  /**
   * Starts one more bot or worker, such as a second replica or the next one after a crash.
   *
   * @param settings win over all others
   */
  async start(name: ServiceName, settings: Environment = {}): Promise<Service> {
    const { stack } = this;
    const ours = this.#options[name];
    const env = name === 'bot' ? stack.environmentForBot() : stack.environmentForWorker();
    const given = typeof ours === 'function' ? ours(stack) : ours;
    const service = await startService(name, { ...env, ...given, ...settings }, (line) =>
      this.log.push(line),
    );
    this.#services.push(service);
    void service.exited.then(() => this.#services.splice(this.#services.indexOf(service), 1));
    return service;
  }

  /** A log line with this text, and these fields, from any service. */
  logged(msg: string | RegExp, fields: Readonly<Record<string, unknown>> = {}): LogLine | undefined {
    return this.log.find(
      (line) =>
        (typeof msg === 'string' ? line.msg === msg : msg.test(line.msg)) &&
        Object.entries(fields).every(([name, value]) => line[name] === value),
    );
  }

  /** Writes in #transfers, or where told. */
  say(
    as: PersonName,
    text: string,
    where: { readonly channel?: string; readonly threadTs?: string } = {},
  ): Promise<SlackMessage> {
    return this.#people.sendMessage({
      channel: TRANSFERS_CHANNEL.id,
      user: PEOPLE[as].id,
      text,
      ...where,
    });
  }

  /** Mentions the bot in #transfers. */
  mention(as: PersonName, text: string, threadTs?: string): Promise<SlackMessage> {
    return this.say(as, `<@${SLACK_APP.botUserId}> ${text}`, threadTs ? { threadTs } : {});
  }

  /** What the bot wrote in a thread of #transfers, oldest first. */
  async threadOf(
    root: SlackMessage | string,
    channel: string = TRANSFERS_CHANNEL.id,
  ): Promise<SlackMessage[]> {
    const ts = typeof root === 'string' ? root : root.ts;
    const all = await this.#people.messages(channel);
    return all.filter((message) => message.thread_ts === ts && message.bot_id);
  }

  /** The first message of the bot in the thread that shows all these words. */
  reply(root: SlackMessage | string, ...words: string[]): Promise<SlackMessage> {
    return waitFor(`an answer with "${words.join('", "')}"`, async () =>
      (await this.threadOf(root)).find((message) => words.every((word) => shownIn(message).includes(word))),
    );
  }

  /**
   * Mentions the bot with a request and waits for the proposal.
   *
   * @param text without the mention, such as `send s3://bucket/key to acme-ftp`
   */
  async requestTransfer(as: PersonName, text: string): Promise<Requested> {
    const root = await this.mention(as, text);
    const card = await waitFor(`the proposal for "${text}"`, async () =>
      (await this.threadOf(root)).find((message) =>
        buttonsOf(message).some(({ actionId }) => actionId === 'approve'),
      ),
    );
    const { t: transferId } = JSON.parse(this.button(card, 'approve').value) as { t: string };
    return { root, card, transferId };
  }

  /** A button that the message shows. */
  button(message: SlackMessage, actionId: string): SlackButton {
    const button = buttonsOf(message).find((one) => one.actionId === actionId);
    if (!button) throw new Error(`the message has no button ${actionId}: ${shownIn(message)}`);
    return button;
  }

  /** Presses a button of a message in #transfers, or one that it never had. Resolves when the bot took the click. */
  press(as: PersonName, message: SlackMessage, button: SlackButton | string): Promise<void> {
    return this.#people.interact({
      channel: TRANSFERS_CHANNEL.id,
      messageTs: message.ts,
      user: PEOPLE[as].id,
      button: typeof button === 'string' ? this.button(message, button) : button,
    });
  }

  approve(as: PersonName, { card }: Pick<Requested, 'card'>): Promise<void> {
    return this.press(as, card, 'approve');
  }

  async record(transferId: string): Promise<Transfer> {
    const transfer = await this.stack.transfers.get(transferId);
    if (!transfer) throw new Error(`there is no ${transferId}`);
    return transfer;
  }

  /** Waits until the record is as wanted. */
  recordWith(
    transferId: string,
    what: string,
    holds: (transfer: Transfer) => boolean,
    options?: WaitOptions,
  ): Promise<Transfer> {
    return waitFor(
      `${transferId} to be ${what}`,
      async () => {
        const transfer = await this.record(transferId);
        return holds(transfer) && transfer;
      },
      options,
    );
  }

  /** Waits until it ended in this way and everybody was told: the outcome stands in the thread, both tickets are closed. */
  settled(transferId: string, status: Transfer['status'], options?: WaitOptions): Promise<Transfer> {
    return this.recordWith(
      transferId,
      `${status} and told`,
      (it) =>
        it.status === status &&
        it.tickets.user.closed &&
        it.tickets.audit.closed &&
        it.messages.some(({ role }) => role === 'outcome'),
      options,
    );
  }

  /** The last lines that the services logged, for people. */
  lastLines(from = 0): string {
    return this.log.slice(from).slice(-SHOWN_LINES).map(tidyLog).join('\n');
  }
}

/** Opens a house before the tests of this file or block, and closes it after them. A failed test shows the services' log. */
export function useHouse(options: HouseOptions = {}): House {
  const house = new House(options);
  beforeAll(() => house.open());
  afterAll(() => house.close(), 60_000);
  beforeEach(({ onTestFailed }) => {
    const from = house.log.length;
    onTestFailed(() => {
      process.stderr.write(`the services logged:\n${house.lastLines(from)}\n`);
    });
  });
  return house;
}
