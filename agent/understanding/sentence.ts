/** A sentence taken apart once: its words with what they name, and the same as one line for rules to match. */

import { withPlaces } from './places.ts';
import type { Context, World } from './reading.ts';
import { withTimes } from './times.ts';
import { type Entity, entityWord, type Word, wordsOf } from './words.ts';

export interface Sentence {
  readonly words: readonly Word[];
  /** Words in lower case with slips undone, entities as marks (`{key}`), punctuation as words; spaces between. */
  readonly line: string;
  readonly world: World;
  readonly context: Context;
}

/** Longest text that is read, in UTF-16 units. */
const MAX_TEXT = 4_000;

const HIGH =
  /(?:^| )((?:(?:with|at|as|in) )?(?:a )?(?:very )?(?:high|highest|top|urgent) (?:priority|prio)|(?:priority|prio) (?:: |is )?(?:high|highest|urgent|top|1)|priority[=:](?:high|urgent)|asap|a s a p|urgently|urgent|immediately|right away|right now|straight away|straightaway|p1|top prio)(?= |$)/;
const LOW =
  /(?:^| )((?:(?:with|at|as|in) )?(?:a )?(?:low|lowest) (?:priority|prio)|(?:priority|prio) (?:: |is )?(?:low|lowest)|priority[=:]low|no rush|not urgent|no hurry|whenever you (?:can|get a chance)|low prio)(?= |$)/;
const NORMAL =
  /(?:^| )((?:(?:with|at) )?(?:normal|standard|regular) priority|priority (?:: )?normal|priority[=:]normal)(?= |$)/;

const lineOf = (words: readonly Word[]) => words.map(({ norm }) => norm).join(' ');

function marked(words: readonly Word[], pattern: RegExp, entity: Entity): Word[] {
  let rest = [...words];
  for (let tries = 0; tries < 3; tries++) {
    const line = lineOf(rest);
    const found = pattern.exec(line);
    if (!found) return rest;
    const start = found.index + (found[0].startsWith(' ') ? 1 : 0);
    const from = line.slice(0, start).split(' ').length - 1;
    const to = from + found[0].trim().split(' ').length;
    rest = [...rest.slice(0, from), entityWord(found[1] ?? '', entity), ...rest.slice(to)];
  }
  return rest;
}

/** Sentences about what was sent, in which any date tells when. */
const LOOKS_BACK =
  /\b(?:history|sent|transfers|failed|completed|did|have|modified|changed|created|uploaded)\b/;

export function takeApart(text: string, world: World, context: Context): Sentence {
  let words = wordsOf(text.slice(0, MAX_TEXT), world);
  words = marked(words, LOW, { kind: 'priority', priority: 'low' });
  words = marked(words, NORMAL, { kind: 'priority', priority: 'normal' });
  words = marked(words, HIGH, { kind: 'priority', priority: 'high' });
  words = withTimes(words, world, LOOKS_BACK.test(lineOf(words)));
  words = withPlaces(words, world);
  return { words, line: lineOf(words), world, context };
}

/** The entities of a kind, with where they stand. */
export function entitiesOf<K extends Entity['kind']>(
  { words }: Pick<Sentence, 'words'>,
  kind: K,
): (Extract<Entity, { kind: K }> & { readonly at: number })[] {
  return words.flatMap(({ entity }, at) =>
    entity?.kind === kind ? [{ ...(entity as Extract<Entity, { kind: K }>), at }] : [],
  );
}
