/** How long a sentence takes to be read: `node bench/understand.ts` prints milliseconds over all fixtures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Context } from '../agent/understanding/reading.ts';
import { understand } from '../agent/understanding/understand.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../test/fixtures', name), 'utf8'));
const given = read('utterances.world.json');
const named = (names: string[]) => names.map((name) => ({ name, aliases: [] }));
const world = {
  now: Date.parse(given.now),
  timezone: 'UTC',
  buckets: named(given.buckets),
  destinations: named(given.destinations),
  transfers: given.transfers,
};
const sentences: { text: string; context?: Context }[] = [
  'utterances.json',
  'utterances.own.json',
  'utterances.held-out.json',
  'utterances.held-out-2.json',
  'utterances.held-out-3.json',
  'utterances.held-out-4.json',
  'utterances.held-out-5.json',
].flatMap((name) => read(name));

const ROUNDS = 21;
/** The median of a sentence's rounds, because a busy machine interrupts some of them. */
function millisecondsFor({ text, context }: (typeof sentences)[number]): number {
  const took = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    understand(text, world, context);
    return performance.now() - start;
  });
  return took.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

for (const { text, context } of sentences) understand(text, world, context);
const took = sentences.map(millisecondsFor).sort((a, b) => a - b);
const at = (share: number) => Number((took[Math.floor(share * (took.length - 1))] ?? 0).toFixed(3));
console.log(
  JSON.stringify({
    sentences: sentences.length,
    rounds: ROUNDS,
    milliseconds: { p50: at(0.5), p99: at(0.99), max: at(1) },
  }),
);
