/** Reads a file of sentences and prints what each comes to: `understand FILE.json --world WORLD.json`. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { contextSchema, type World } from './reading.ts';
import { understand } from './understand.ts';

const nameSchema = z.union([
  z.string().transform((name) => ({ name, aliases: [] as string[] })),
  z.looseObject({ name: z.string(), aliases: z.array(z.string()).default([]) }),
]);
const worldSchema = z.looseObject({
  now: z.union([z.string(), z.number()]).transform((now) => new Date(now).getTime()),
  timezone: z.string().default('UTC'),
  buckets: z.array(nameSchema).default([]),
  destinations: z.array(nameSchema).default([]),
  transfers: z
    .array(z.union([z.string(), z.looseObject({ id: z.string() }).transform(({ id }) => id)]))
    .default([]),
});
const sentencesSchema = z.array(z.looseObject({ text: z.string(), context: contextSchema.nullish() }));

function main(): void {
  const { values, positionals } = parseArgs({
    options: { world: { type: 'string' } },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (file === undefined || values.world === undefined) {
    throw new Error('usage: understand FILE.json --world WORLD.json');
  }
  const world: World = worldSchema.parse(JSON.parse(readFileSync(values.world, 'utf8')));
  const sentences = sentencesSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const readings = sentences.map(({ text, context }) => understand(text, world, context ?? {}));
  process.stdout.write(`${JSON.stringify(readings, null, 1)}\n`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
