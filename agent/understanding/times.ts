/** Finds when something was or should be, in the words people use for it. */
import * as chrono from 'chrono-node';
import type { World } from './reading.ts';
import { entityWord, type Word } from './words.ts';

const DAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend';
const MONTH = 'january|february|march|april|may|june|july|august|september|october|november|december';
const UNIT = `minutes?|mins?|hours?|hrs?|days?|weeks?|months?|quarters?|years?|nights?|mornings?|afternoons?|evenings?|${DAY}|${MONTH}`;
const CLOCK = '(?:\\d{1,2}(?:[:.]\\d{2})? ?(?:am|pm)|\\d{1,2}:\\d{2}|noon|midnight|eod|cob)';
const PART = '(?: (?:morning|afternoon|evening|night|noon))?';
const AT = `(?: (?:at|after|around|by|before) ${CLOCK}| ${CLOCK})?`;

const RELATIVE = new RegExp(
  `(?:^| )(?:since (?:last |this )?(?:yesterday|${UNIT})` +
    `|(?:earlier )?(?:today|yesterday)(?:'s)?${PART}${AT}` +
    `|(?:tonight|tomorrow)(?:'s)?${PART}${AT}` +
    `|(?:last|past|previous|this|next|coming)(?: (?:\\d{1,3}|few|couple of|two|three|four|five|six|seven|ten))? (?:${UNIT})(?:'s)?${PART}${AT}` +
    `|(?:\\d{1,3}|a|an|two|three|few|couple of) (?:${UNIT}) ago` +
    `|(?:every|each) (?:${UNIT}|weekday|other \\w+)${PART}${AT}` +
    `|(?:nightly|daily|weekly|hourly|monthly) at ${CLOCK}` +
    `|(?:at|after|before|by|around) ${CLOCK}(?: (?:today|tonight|tomorrow|on (?:${DAY})))?` +
    `|in (?:\\d{1,3}|an?|two|three|half an) (?:minutes?|mins?|hours?|hrs?|days?)` +
    `|(?:after|outside) (?:business |office |working )?hours|over ?night|later today|end of (?:the )?day|ytd|year to date)(?= |$)`,
);

const AHEAD =
  /^today.* (?:at|after|around|by|before) |tonight|tomorrow|next|coming|every|each|nightly|daily|weekly|hourly|monthly|^(?:at|after|before|by|around|in|outside|over ?night|later|end of)\b/;

/** Only such a sentence is shown to the slower reader of dates. */
const DATED = new RegExp(
  `\\b(?:${DAY}|${MONTH}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\\b|\\d{4}-\\d{2}-\\d{2}|\\d{1,2}/\\d{1,2}/\\d{2,4}|\\bbetween\\b`,
  'i',
);

/** How many words of the joined text are before a position. */
const wordAt = (joined: string, position: number) => joined.slice(0, position).split(' ').length - 1;

function replaced(
  words: readonly Word[],
  from: number,
  to: number,
  text: string,
  ahead = AHEAD.test(text.toLowerCase()),
): Word[] {
  return [...words.slice(0, from), entityWord(text, { kind: 'time', text, ahead }), ...words.slice(to)];
}

/** The words of a stretch as they were typed, without what grammar hung on them. */
const spoken = (words: readonly Word[], from: number, to: number) =>
  words
    .slice(from, to)
    .map(({ raw }) => raw)
    .join(' ')
    .replace(/['’]s\b/g, '')
    .replace(/[\s,.?!:]+$/, '');

/**
 * Marks the stretches of time.
 *
 * @param absolute whether dates without a relation to now count, too: in a description of a file they belong to its name
 */
export function withTimes(words: readonly Word[], world: World, absolute: boolean): Word[] {
  let marked = [...words];
  for (let tries = 0; tries < 3; tries++) {
    const joined = marked.map(({ norm }) => norm).join(' ');
    const found = RELATIVE.exec(joined);
    if (!found) break;
    const start = found.index + (found[0].startsWith(' ') ? 1 : 0);
    const from = wordAt(joined, start);
    const to = from + found[0].trim().split(' ').length;
    marked = replaced(marked, from, to, spoken(marked, from, to));
  }
  const joined = marked.map(({ raw, entity }) => (entity ? '#' : raw)).join(' ');
  if (!DATED.test(joined)) return marked;
  const [date, second] = chrono.parse(joined, new Date(world.now));
  if (!date || joined.slice(date.index, date.index + date.text.length).includes('#')) return marked;
  // The reader of dates takes "on" for a part of the date.
  const lead = /^(?:on|since|until|till|by)\s/i.exec(date.text);
  let from = wordAt(joined, date.index) + (lead ? 1 : 0);
  const to = wordAt(joined, date.index + date.text.length) + 1;
  const before = marked[from - 1]?.norm ?? '';
  const isOn = [
    'on',
    'since',
    'from',
    'of',
    'in',
    'during',
    'after',
    'before',
    'for',
    'by',
    'dated',
    'between',
    'until',
    'till',
  ];
  if (!absolute && !isOn.includes(before) && from > 0) return marked;
  // "Until Monday" and "by Friday" say when something has to be there.
  if (!absolute && ['until', 'by', 'till', 'on'].includes(before))
    return replaced(marked, from, to, spoken(marked, from, to), true);
  if (['since', 'after', 'before', 'until', 'between'].includes(before)) from--;
  if (before === 'between' && second && marked[to]?.norm === 'and') {
    const end = wordAt(joined, second.index + second.text.length) + 1;
    return replaced(marked, from, end, spoken(marked, from, end));
  }
  return replaced(marked, from, to, spoken(marked, from, to));
}
