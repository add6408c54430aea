/** What the local stack carries: `npm run bench:load [-- --json] [-- --seconds N] [-- --transfers N]`; small numbers for a look. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { QUEUE } from '../infra/schema/queue.ts';
import { chatLoad } from './chat-load.ts';
import { queueLoad, takeOver } from './queue-load.ts';

const EVENTS_A_SECOND = 50;
const P99_MS = 100;
/** So many transfers keep four workers busy. */
const LEAST_TO_SHARE = 24;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    transfers: { type: 'string', default: '1000' },
    /** What a worker's hold on a transfer and its message lasts. */
    lease: { type: 'string', default: '30' },
  },
});
const seconds = Number(values.seconds);
const transfers = Number(values.transfers);
const say = (line: string) => (values.json ? undefined : process.stdout.write(`${line}\n`));
const loadBefore = loadavg()[0] ?? 0;

say(`${EVENTS_A_SECOND} events a second for ${seconds} s, an echo bot first …`);
const chat = await chatLoad({ perSecond: EVENTS_A_SECOND, seconds });
const queue = await queueLoad({ workers: [1, 2, 4], transfers, say });
say('one of four workers is killed …');
const taken = await takeOver({
  transfers: Math.max(LEAST_TO_SHARE, Math.ceil(transfers / 4)),
  leaseSeconds: Number(values.lease),
});

const rates = queue.map(({ perSecond }) => perSecond);
const grows = rates.every((rate, index) => index === 0 || rate > (rates[index - 1] ?? 0));
const { bot, echo } = chat;
const done = queue.reduce((sum, one) => sum + one.doneOnce, 0);
const asked = queue.reduce((sum, one) => sum + one.transfers, 0);
const results = [
  {
    what: 'events acknowledged',
    measured: `${bot.acknowledged} of ${bot.events}`,
    target: 'all',
    met: bot.acknowledged === bot.events,
  },
  {
    what: 'p99 until acknowledged',
    measured: `${bot.p99} ms`,
    target: `≤ ${P99_MS} ms`,
    met: bot.p99 <= P99_MS,
  },
  {
    what: 'mentions answered once, twice',
    measured: `${bot.answeredOnce}, ${bot.answeredTwice}`,
    target: `${bot.mentions}, 0`,
    met: bot.answeredOnce === bot.mentions && bot.answeredTwice === 0,
  },
  { what: 'queued transfers done once', measured: `${done} of ${asked}`, target: 'all', met: done === asked },
  {
    what: 'transfers a second with 1, 2, 4 workers',
    measured: rates.map((rate) => rate.toFixed(2)).join(', '),
    target: 'grows',
    met: grows,
  },
  {
    what: `a killed worker's ${taken.share} transfers taken over`,
    measured: `${taken.takenOverIn.toFixed(1)} s`,
    target: `≤ ${QUEUE.visibilityTimeout} s, the queue's visibility timeout`,
    met: taken.takenOverIn <= QUEUE.visibilityTimeout && taken.doneOnce === taken.transfers,
  },
];
const ratio = { p50: bot.p50 / echo.p50, p99: bot.p99 / echo.p99 };

if (values.json) {
  const load = { before: loadBefore, after: loadavg()[0] };
  process.stdout.write(`${JSON.stringify({ load, results, ratio, chat, queue, takeOver: taken })}\n`);
} else {
  say(`\nload of the machine ${loadBefore.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`);
  say(
    `until acknowledged: bot p50 ${bot.p50} ms, p99 ${bot.p99} ms; echo bot ${echo.p50} ms, ${echo.p99} ms`,
  );
  say(`ratio to the echo bot: p50 ${ratio.p50.toFixed(1)}, p99 ${ratio.p99.toFixed(1)}\n`);
  for (const { what, measured, target, met } of results) {
    say(`${met ? '✓ met   ' : '✗ MISSED'} ${what}: ${measured} (target ${target})`);
  }
}
