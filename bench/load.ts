/** What the local stack carries: `npm run bench:load [-- --json] [-- --seconds N] [-- --transfers N]`; small numbers for a look. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { QUEUE } from '../infra/schema/queue.ts';
import { chatLoad } from './chat-load.ts';
import { queueLoad } from './queue-load.ts';

const EVENTS_A_SECOND = 50;
const P99_MS = 100;
/** The echo bot is so simple that its figures settle soon. */
const ECHO_SECONDS = 15;

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
const chat = await chatLoad({
  perSecond: EVENTS_A_SECOND,
  seconds,
  echoSeconds: Math.min(seconds, ECHO_SECONDS),
});
const { few, all } = await queueLoad({
  few: [1, 2],
  most: 4,
  transfers,
  leaseSeconds: Number(values.lease),
  say,
});

const queue = [...few, all];
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
    what: `transfers a second with ${queue.map(({ workers }) => workers).join(', ')} workers`,
    measured: rates.map((rate) => rate.toFixed(2)).join(', '),
    target: 'grows',
    met: grows,
  },
  {
    what: `a killed worker's ${all.share} transfers taken over`,
    measured: `${all.takenOverIn.toFixed(1)} s`,
    target: `≤ ${QUEUE.visibilityTimeout} s, the queue's visibility timeout`,
    met: all.share > 0 && all.takenOverIn <= QUEUE.visibilityTimeout,
  },
];
const took = Math.round(performance.now() / 1_000);
const ratio = { p50: bot.p50 / echo.p50, p99: bot.p99 / echo.p99 };

if (values.json) {
  const load = { before: loadBefore, after: loadavg()[0] };
  process.stdout.write(`${JSON.stringify({ load, seconds: took, results, ratio, chat, queue })}\n`);
} else {
  say(`\n${took} s; load of the machine ${loadBefore.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`);
  say(
    `until acknowledged: bot p50 ${bot.p50} ms, p99 ${bot.p99} ms; echo bot ${echo.p50} ms, ${echo.p99} ms`,
  );
  say(`ratio to the echo bot: p50 ${ratio.p50.toFixed(1)}, p99 ${ratio.p99.toFixed(1)}\n`);
  for (const { what, measured, target, met } of results) {
    say(`${met ? '✓ met   ' : '✗ MISSED'} ${what}: ${measured} (target ${target})`);
  }
}
