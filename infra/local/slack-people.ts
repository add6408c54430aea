/** What people do in the local Slack, over its control API: write, click, open the home page, run a command. */
import { z } from 'zod';

const messageSchema = z.looseObject({
  ts: z.string(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  text: z.string().optional(),
  thread_ts: z.string().optional(),
  blocks: z.array(z.looseObject({ type: z.string() })).optional(),
});
export type SlackMessage = z.infer<typeof messageSchema>;

const buttonSchema = z.looseObject({
  type: z.literal('button'),
  action_id: z.string(),
  value: z.string().optional(),
});
export interface SlackButton {
  readonly blockId: string;
  readonly actionId: string;
  readonly value: string;
}

/** All calls return when the bot has acknowledged what they caused: look for the outcome itself. */
export interface SlackPeople {
  sendMessage(message: {
    readonly channel: string;
    readonly user: string;
    readonly text: string;
    readonly threadTs?: string;
  }): Promise<SlackMessage>;
  /** Presses a button of a message; it need not be one that the message shows. */
  interact(click: {
    readonly channel: string;
    readonly messageTs: string;
    readonly user: string;
    readonly button: SlackButton;
  }): Promise<void>;
  command(run: {
    readonly channel: string;
    readonly user: string;
    readonly command: string;
    readonly text: string;
  }): Promise<void>;
  openHome(user: string): Promise<void>;
  /** A channel's messages from the oldest, those of threads included. */
  messages(channel: string): Promise<SlackMessage[]>;
}

/** The buttons that a message shows, in order. */
export function buttonsOf(message: SlackMessage): SlackButton[] {
  return (message.blocks ?? []).flatMap((block) => {
    const elements = Array.isArray(block.elements) ? block.elements : [block.accessory];
    return elements.flatMap((element: unknown) => {
      const button = buttonSchema.safeParse(element);
      if (!button.success) return [];
      return {
        blockId: typeof block.block_id === 'string' ? block.block_id : '',
        actionId: button.data.action_id,
        value: button.data.value ?? '',
      };
    });
  });
}

const answerSchema = z.looseObject({ ok: z.boolean().optional(), error: z.string().optional() });

/** @param endpoint the local Slack's address */
export function createSlackPeople(endpoint: string): SlackPeople {
  async function call(path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${endpoint}/_control/${path}`, {
      ...(body && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const answer = answerSchema.parse(await response.json());
    if (answer.ok === false)
      throw new Error(`local Slack refused ${path}: ${answer.error ?? response.status}`);
    return answer;
  }
  return {
    async sendMessage({ threadTs, ...message }) {
      const answer = await call('message', { ...message, ...(threadTs && { thread_ts: threadTs }) });
      return messageSchema.parse(answer.message);
    },
    async interact({ button, ...click }) {
      await call('interact', {
        ...click,
        action: {
          type: 'button',
          block_id: button.blockId,
          action_id: button.actionId,
          value: button.value,
        },
      });
    },
    async command(run) {
      await call('command', run);
    },
    async openHome(user) {
      await call('open-home', { user });
    },
    async messages(channel) {
      const { messages } = await call(`messages/${encodeURIComponent(channel)}`);
      return z.array(messageSchema).parse(messages);
    },
  };
}
