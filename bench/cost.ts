/** What transfers cost: `npm run bench:cost [-- --json] [-- --transfers N] [-- --idle SECONDS]` runs them and prices each request. */
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { REGION, TABLE_PREFIX } from '../infra/local/stack-environment.ts';
import { type BillLine, dynamoDbLines, otherLines, totals } from './bill.ts';
import { oneTransfer } from './colleagues.ts';
import { idleFootprint } from './idle-footprint.ts';
import { itemSize } from './item-size.ts';
import { openMeteredHouse } from './metered-house.ts';
import { dollars, HOURS_A_MONTH, PRICED_IN, REGION_OF_PRICES } from './prices.ts';

/** Dollars: for 10,000 transfers, for the same without the model and egress, and for an idle month. */
const TARGETS = { dynamoDb: 0.5, all: 5, idleMonth: 40 };
const PRICED_FOR = 10_000;
/** How many people ask at the same time. */
const AT_ONCE = 3;
const BYTES_BESIDE_AN_ITEM = 100;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    transfers: { type: 'string', default: '100' },
    idle: { type: 'string', default: '30' },
  },
});
const count = Number(values.transfers);
const idleSeconds = Number(values.idle);
const say = (line: string) => (values.json ? undefined : process.stdout.write(`${line}\n`));

/** Processor seconds that a process has used, where the system tells. */
async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields ? (Number(fields[11]) + Number(fields[12])) / 100 : 0;
}

/** What keeping the items of these transfers until they expire costs, with point-in-time recovery. */
async function keeping(endpoint: string): Promise<BillLine> {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = new DynamoDBClient({ endpoint, region: REGION, credentials });
  let gigabyteMonths = 0;
  let bytes = 0;
  const pages = paginateScan({ client }, { TableName: `${TABLE_PREFIX}TransferRequests` });
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const months = (Number(item.expires_at?.N) - Date.now() / 1_000) / 3_600 / HOURS_A_MONTH;
      const size = itemSize(item) + BYTES_BESIDE_AN_ITEM;
      bytes += size;
      gigabyteMonths += (size / 1e9) * months;
    }
  }
  client.destroy();
  const usd = dollars('dynamoDbStorage', gigabyteMonths) + dollars('dynamoDbRecovery', gigabyteMonths);
  return { service: 'DynamoDB', what: 'TransferRequests: bytes kept until they expire', count: bytes, usd };
}

async function measure() {
  const house = await openMeteredHouse();
  try {
    const { stack, slack, services } = house;
    // Whatever a start costs is no transfer's.
    await oneTransfer(stack, slack, 0);
    house.take();
    say(`idle for ${idleSeconds} s …`);
    await delay(idleSeconds * 1_000);
    const idle = house.take();
    const used = async () =>
      (await Promise.all(services.map(({ pid }) => processorSeconds(pid)))).reduce((a, b) => a + b, 0);
    const usedBefore = await used();
    let started = 0;
    let done = 0;
    const begun = Date.now();
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
        while (started < count) {
          started += 1;
          await oneTransfer(stack, slack, started);
          done += 1;
          if (done % 10 === 0) say(`${done} of ${count} transfers`);
        }
      }),
    );
    const seconds = (Date.now() - begun) / 1_000;
    const processor = (await used()) - usedBefore;
    return { idle, busy: house.take(), seconds, processor, kept: await keeping(stack.dynamoDb.endpoint) };
  } finally {
    await house.stop();
  }
}

const { idle, busy, seconds, processor, kept } = await measure();

// What comes with time is the idle month's, not the transfers'.
const isStanding = (what: string) => what.endsWith('(empty)');
const work = {
  ...busy,
  requests: Object.fromEntries(Object.entries(busy.requests).filter(([what]) => !isStanding(what))),
};
const scale = PRICED_FOR / count;
/** Two gigabytes to a processor: as the tasks are cut. */
const compute = {
  service: 'Fargate',
  what: 'processor seconds',
  count: processor,
  usd:
    dollars('fargateProcessorHour', processor / 3_600) +
    dollars('fargateMemoryHour', (2 * processor) / 3_600),
};
const lines = [
  ...dynamoDbLines(busy.charges.filter(({ standing }) => !standing)),
  kept,
  ...otherLines(work),
  compute,
].map((line) => ({ ...line, perTransfer: line.count / count, usd: line.usd * scale }));

const monthly = (HOURS_A_MONTH * 3_600) / idleSeconds;
const standing = Object.fromEntries(
  Object.entries(totals([...dynamoDbLines(idle.charges), ...otherLines(idle)])).map(([name, usd]) => [
    `${name}, requests of idle services`,
    usd * monthly,
  ]),
);
const idleMonth = { ...idleFootprint(), ...standing };

const byService = totals(lines);
const byTable = totals(
  lines.filter(({ service }) => service === 'DynamoDB'),
  ({ what }) => what.split(':')[0] ?? '',
);
const total = (usd: Readonly<Record<string, number>>) => Object.values(usd).reduce((a, b) => a + b, 0);
const results = [
  { what: `DynamoDB, ${PRICED_FOR} transfers`, usd: byService.DynamoDB ?? 0, target: TARGETS.dynamoDb },
  { what: `All services, ${PRICED_FOR} transfers`, usd: total(byService), target: TARGETS.all },
  { what: 'Idle month', usd: total(idleMonth), target: TARGETS.idleMonth },
].map((result) => ({ ...result, met: result.usd <= result.target }));

if (values.json) {
  const measured = { transfers: count, seconds, load: loadavg()[0], region: REGION_OF_PRICES };
  process.stdout.write(`${JSON.stringify({ measured, results, byService, byTable, idleMonth, lines })}\n`);
} else {
  const money = (usd: number) => `$${usd.toFixed(4)}`.padStart(10);
  const table = (title: string, rows: Readonly<Record<string, number>>) => {
    say(`\n${title}`);
    for (const [name, usd] of Object.entries(rows).sort(([, a], [, b]) => b - a))
      say(`${money(usd)}  ${name}`);
  };
  say(`\n${count} transfers in ${seconds.toFixed(0)} s, load ${loadavg()[0]?.toFixed(1)}`);
  say(`prices: ${REGION_OF_PRICES}, looked up ${PRICED_IN.join(' to ')}, sources in bench/prices.json`);
  say(`\nDynamoDB and the rest, line by line, dollars for ${PRICED_FOR} transfers`);
  for (const { service, what, usd, perTransfer } of lines.toSorted((a, b) => b.usd - a.usd)) {
    say(`${money(usd)}  ${perTransfer.toFixed(2).padStart(9)} a transfer  ${service}: ${what}`);
  }
  table(`By table, dollars for ${PRICED_FOR} transfers`, byTable);
  table(`By service, dollars for ${PRICED_FOR} transfers`, byService);
  table('An idle month, dollars', idleMonth);
  say('');
  for (const { what, usd, target, met } of results) {
    say(`${met ? '✓ met   ' : '✗ MISSED'} ${money(usd)}  target ≤ $${target}  ${what}`);
  }
}
