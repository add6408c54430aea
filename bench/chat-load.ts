/** Chat events at a steady rate: whether each is acknowledged, how soon, and that nobody is answered twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { parse, stringify } from 'yaml';
import { startService } from '../infra/local/services.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL, WORKSPACE } from '../infra/local/slack-workspace.ts';
import { type Stack, startStack } from '../infra/local/stack.ts';
import { SLACK_BOT, type SlackServer } from '../test/fakes/slack-server.ts';
import { type HttpSlack, startHttpSlack } from '../test/support/http-slack.ts';
import type { Delivery, DriverOrder, DriverReport } from './event-driver.ts';

/** So many people write in turn. */
const CROWD = 40;
/** How long answers may take after the last event, in milliseconds. */
const PATIENCE_MS = 120_000;
const PROBE_MS = 1_000;
/** Every so many mentions, Slack delivers one again. */
const AGAIN_EVERY = 10;

interface ChatFigures {
  readonly events: number;
  readonly acknowledged: number;
  readonly p50: number;
  readonly p99: number;
  readonly mentions: number;
  readonly answeredOnce: number;
  readonly answeredTwice: number;
}

export interface ChatLoad {
  readonly bot: ChatFigures;
  readonly echo: ChatFigures;
}

const crowd = Array.from({ length: CROWD }, (_none, index) => `U9${String(index).padStart(5, '0')}`);

/** Brings the crowd into the workspace, and lets them ask. */
async function invite(stack: Stack, slack: HttpSlack): Promise<void> {
  for (const id of crowd) slack.server.addUser({ id, name: id.toLowerCase(), profile: { real_name: id } });
  const ids = [...crowd, SLACK_BOT.userId, ...Object.values(PEOPLE).map(({ id }) => id)];
  slack.server.addChannel({ id: TRANSFERS_CHANNEL.id, members: ids });
  const policy = parse(await readFile(stack.configFile, 'utf8'));
  policy.groups.requesters.push(...crowd.map((id) => `slack:${WORKSPACE.teamId}:${id}`));
  await writeFile(stack.configFile, stringify(policy));
}

/** Mentions as Slack delivers them: two events each, and some of them once more. */
function mentions(slack: HttpSlack, events: number) {
  const roots: string[] = [];
  const deliveries: Delivery[] = [];
  const deliver = (event: object, id: string, again: boolean) =>
    deliveries.push({
      again,
      body: {
        type: 'event_callback',
        team_id: WORKSPACE.teamId,
        api_app_id: SLACK_APP.appId,
        event_id: id,
        event_time: Math.floor(Date.now() / 1_000),
        event,
      },
    });
  while (deliveries.length < events) {
    const text = `<@${SLACK_APP.botUserId}> help`;
    const user = crowd[roots.length % CROWD] ?? '';
    const root = slack.server.say(TRANSFERS_CHANNEL.id, user, text);
    const both = slack.mentionEvents(root, user, text);
    for (const [index, event] of both.entries()) deliver(event, `Ev${root}/${index}`, false);
    if (roots.length % AGAIN_EVERY === 0) deliver(both[1] ?? {}, `Ev${root}/1`, true);
    roots.push(root);
  }
  return { roots, deliveries };
}

async function drive(order: DriverOrder): Promise<DriverReport> {
  const thread = new Worker(new URL('./event-driver.ts', import.meta.url), { workerData: order });
  const [report] = await once(thread, 'message');
  return report;
}

function answersTo(server: SlackServer): ReadonlyMap<string, number> {
  const answers = new Map<string, number>();
  for (const { thread_ts, bot_id } of server.messages(TRANSFERS_CHANNEL.id, PEOPLE.ana.id)) {
    if (thread_ts && bot_id) answers.set(thread_ts, (answers.get(thread_ts) ?? 0) + 1);
  }
  return answers;
}

async function measure(slack: HttpSlack, url: string, load: { perSecond: number; seconds: number }) {
  const { roots, deliveries } = mentions(slack, load.perSecond * load.seconds);
  const { perSecond } = load;
  const report = await drive({ url, secret: SLACK_APP.signingSecret, perSecond, deliveries });
  const deadline = Date.now() + PATIENCE_MS;
  let answers = answersTo(slack.server);
  while (!roots.every((root) => answers.has(root)) && Date.now() < deadline) {
    await delay(PROBE_MS);
    answers = answersTo(slack.server);
  }
  const sorted = report.milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1));
  return {
    events: deliveries.length,
    acknowledged: deliveries.length - report.refused,
    p50: at(0.5),
    p99: at(0.99),
    mentions: roots.length,
    answeredOnce: roots.filter((root) => answers.get(root) === 1).length,
    answeredTwice: roots.filter((root) => (answers.get(root) ?? 0) > 1).length,
  };
}

/** Measures the echo bot, then ours, on the same Slack; each is warmed up until everybody was seen once. */
export async function chatLoad(load: {
  perSecond: number;
  seconds: number;
  echoSeconds: number;
}): Promise<ChatLoad> {
  const { perSecond } = load;
  const stack = await startStack({ slack: 'none' });
  const slack = await startHttpSlack(() => '');
  await invite(stack, slack);
  const args = [join(import.meta.dirname, 'echo-bot.ts'), slack.server.url, SLACK_BOT.token];
  const echo = spawn(process.execPath, [...args, SLACK_APP.signingSecret], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [echoUrl] = await once(createInterface({ input: echo.stdout }), 'line');
    const bot = await startService('bot', { ...stack.environmentForBot(), ...slack.botSettings });
    try {
      const figuresOf = async (url: string, seconds: number) => {
        await measure(slack, url, { perSecond: Math.min(perSecond, 25), seconds: 4 });
        return measure(slack, url, { perSecond, seconds });
      };
      const bare = await figuresOf(`${echoUrl}/slack/events`, load.echoSeconds);
      return { echo: bare, bot: await figuresOf(`${bot.url}/slack/events`, load.seconds) };
    } finally {
      await bot.stop();
    }
  } finally {
    echo.kill();
    await slack.close();
    await stack.stop();
  }
}
