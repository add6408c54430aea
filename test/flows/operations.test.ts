/** What operators rely on: readiness that names what is down, and a stop that loses nothing. */
import { afterAll, describe, expect, it } from 'vitest';
import { PEOPLE, TRANSFERS_CHANNEL } from '../../infra/local/slack-workspace.ts';
import { SLACK_BOT } from '../fakes/slack-server.ts';
import { useHouse, userIdOf, waitFor } from '../support/house.ts';
import { type HttpSlack, startHttpSlack } from '../support/http-slack.ts';

const { ana } = PEOPLE;
const AT_BOT = `<@${SLACK_BOT.userId}>`;
const REQUEST = 'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp';

interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

describe('operations', () => {
  let slack: HttpSlack;
  afterAll(() => slack?.close());
  const house = useHouse({
    slack: 'none',
    prepare: async () => {
      slack = await startHttpSlack(() => house.bot.url);
    },
    bot: () => slack.botSettings,
    worker: () => slack.workerSettings,
    people: () => slack.people,
  });

  it('a bot that is asked to stop finishes its turn, takes nothing new, and ends well', async () => {
    const { bot } = house;
    // Holds the turn: the bot waits as long as Slack says.
    slack.server.fail('chat.postMessage', { kind: 'throttle', retryAfter: 3 });
    const root = await house.mention('ana', REQUEST);
    await waitFor('the refused post', () => slack.server.callsOf('chat.postMessage').length > 0);

    const stopped = bot.stop();
    await waitFor('the stop', () => house.logged(/^stopping/, { service: 'bot' }));
    const late = slack.mentionEvents(
      slack.server.say(TRANSFERS_CHANNEL.id, ana.id, 'late'),
      ana.id,
      `${AT_BOT} help`,
    );
    for (const event of late) expect((await slack.postEvent(event, { bot: bot.url })).status).toBe(503);
    await stopped;

    expect(await bot.exited).toBe(0);
    expect(await house.threadOf(root)).toHaveLength(1);
    const transfers = await house.stack.transfers.listByUser(userIdOf('ana'), 10);
    expect(transfers).toMatchObject([{ status: 'pending_approval', messages: [{ role: 'approval' }] }]);

    await house.start('bot');
    // What was refused is delivered again, now to the next bot.
    for (const event of late) expect((await slack.postEvent(event, { retryNum: 1 })).status).toBe(200);
    await waitFor('the answer', () => house.logged('turn worked out', { reply: 'help' }));
  });

  it('a worker that is asked to stop ends well', async () => {
    const { worker } = house;
    await worker.stop();
    expect(await worker.exited).toBe(0);
    await house.start('worker');
  });

  it('readiness names what is down', async () => {
    const readiness = async (url: string) => {
      const response = await fetch(`${url}/readyz`);
      return { status: response.status, ...((await response.json()) as Readiness) };
    };
    const both = () => Promise.all([house.bot, house.worker].map(({ url }) => readiness(url)));
    for (const { status, ready, checks } of await both()) {
      expect({ status, ready }).toEqual({ status: 200, ready: true });
      expect(new Set(Object.values(checks))).toEqual(new Set(['ok']));
    }
    await house.stack.serviceNow.stop();
    for (const { status, ready, checks } of await both()) {
      expect({ status, ready }).toEqual({ status: 200, ready: true });
      expect(checks.servicenow).toMatch(/^unavailable: ServiceNow/);
    }
    await house.stack.sqs.stop();
    for (const { status, ready, checks } of await both()) {
      expect({ status, ready }).toEqual({ status: 503, ready: false });
      const down = Object.entries(checks).filter(([, answer]) => answer !== 'ok');
      expect(down.map(([name]) => name).sort()).toEqual(['servicenow', 'sqs']);
    }
    for (const { url } of [house.bot, house.worker]) expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});
