/** Sentences about what FileFerry remembers of a person: preferences they set, and being forgotten. Rules only. */
import { bucketsFor, destinationsFor, type Named, resolveName } from '../core/names.ts';
import type { Person } from '../core/person.ts';
import type { PolicyConfig } from '../core/policy-config.ts';

export type Preference = 'bucket' | 'destination' | 'notifications' | 'timeZone';

export type MemoryWish =
  | { readonly kind: 'forget' }
  | { readonly kind: 'show' }
  | { readonly kind: 'prefer'; readonly name: Preference; readonly value: string | undefined };

const NAME = `(bucket|destination|target|time ?zone|notifications?(?: style)?)`;
const STANDING = '(?:from now on|as of now|in (?:the )?future|by default|as a default|always)';
const VALUE = String.raw`["'“\`]?([^"'”\`]{1,100}?)["'”\`]?`;

const FORGET =
  /^(?:forget|erase|delete|wipe) (?:about )?(?:me|(?:everything|all|anything|whatever|what) (?:that )?(?:you (?:know|have|remember|stored) )?(?:about|of|on) me|my (?:data|memory|context|conversation|conversations))$/i;
const SHOW =
  /^(?:(?:show|list|what are) (?:me )?my (?:preferences|settings|defaults)|(?:show (?:me )?|tell me )?what (?:do you|have you|you|did you) (?:know|known|remember|remembered|store|stored|learn|learned|keep|have|saved?) (?:stored |saved )?(?:about|of|on) me|my (?:preferences|settings|defaults))$/i;
const UNSET = new RegExp(`^(?:forget|remove|clear|unset|delete) my (?:default |preferred )?${NAME}$`, 'i');
const SETS = [
  new RegExp(`^(?:set|change|switch) my (?:default |preferred )?${NAME} to ${VALUE}$`, 'i'),
  new RegExp(`^(?:remember (?:that )?)?my (?:default |preferred )?${NAME} is ${VALUE}$`, 'i'),
];
const USES = [
  new RegExp(`^(?:use|take|remember) ${VALUE} as my (?:default |preferred )?${NAME}$`, 'i'),
  new RegExp(`^make ${VALUE} my (?:default|preferred) ${NAME}$`, 'i'),
  // A name before what it is: "always use finance-exports as the bucket".
  new RegExp(`^${STANDING},? (?:use|take|send to) ${VALUE} as (?:the |my |a )?${NAME}$`, 'i'),
];
/** The kind stands before the name: "always use bucket finance-exports". */
const ALWAYS = [
  new RegExp(`^(?:please )?${STANDING},? (?:use|take) (?:the |my )?${NAME} ${VALUE}$`, 'i'),
  new RegExp(`^(?:use|take) (?:the |my )?${NAME} ${VALUE} ${STANDING}$`, 'i'),
  new RegExp(`^default ${NAME}(?::| is| =)? ${VALUE}$`, 'i'),
];
const SENDS_TO = [
  new RegExp(
    `^${STANDING},? (?:send|deliver|upload) (?:(?:my |all |all my |the )?(?:files|everything|it all) )?to ${VALUE}$`,
    'i',
  ),
  new RegExp(
    `^(?:send|deliver|upload) (?:my |all |all my |the )?(?:files|everything) to ${VALUE} ${STANDING}$`,
    'i',
  ),
];
/** "I'm in Europe/Berlin": only a zone's own name says so, because people are in meetings, too. */
const IN_ZONE =
  /^(?:i'm|i’m|i am|we are|we're|i live|i work|i sit) (?:(?:based|located|working|living|now) )?in ([A-Za-z]+(?:\/[A-Za-z_+-]+){1,2}|UTC)$/i;
const NOTIFY =
  /^(?:please )?(?:always )?(?:notify|tell|inform|message|ping|update) me (?:(?:by|via|with|in|through)(?: a| the)?) (dms?|direct messages?|private messages?|private|threads?|channel)(?: (?:when|once|about|of|from now on)(?: .{1,60})?)?$/i;

function preference(word: string): Preference {
  const lower = word.toLowerCase().replace(' ', '');
  if (lower.startsWith('notification')) return 'notifications';
  if (lower === 'timezone') return 'timeZone';
  return lower === 'bucket' ? 'bucket' : 'destination';
}

/** What a whole message asks of the memory; undefined for anything else, however near. */
export function readMemoryWish(text: string): MemoryWish | undefined {
  const said = text
    .trim()
    .replace(/^(?:please|pls|hey|hi)[, ]+/i, '')
    .replace(/[, ]*(?:please|pls|thanks|thank you)?[.!?]*$/i, '')
    .replace(/\s+/g, ' ');
  if (FORGET.test(said)) return { kind: 'forget' };
  if (SHOW.test(said)) return { kind: 'show' };
  const unset = UNSET.exec(said);
  if (unset) return { kind: 'prefer', name: preference(unset[1] ?? ''), value: undefined };
  for (const pattern of SETS) {
    const [, name, value] = pattern.exec(said) ?? [];
    if (name && value) return { kind: 'prefer', name: preference(name), value };
  }
  for (const pattern of ALWAYS) {
    const [, name, value] = pattern.exec(said) ?? [];
    if (name && value) return { kind: 'prefer', name: preference(name), value };
  }
  for (const pattern of SENDS_TO) {
    const [, value] = pattern.exec(said) ?? [];
    if (value) return { kind: 'prefer', name: 'destination', value };
  }
  const zone = IN_ZONE.exec(said)?.[1];
  if (zone) return { kind: 'prefer', name: 'timeZone', value: zone };
  const style = NOTIFY.exec(said)?.[1];
  if (style) return { kind: 'prefer', name: 'notifications', value: style };
  for (const pattern of USES) {
    const [, value, name] = pattern.exec(said) ?? [];
    if (name && value) return { kind: 'prefer', name: preference(name), value };
  }
  return undefined;
}

type Checked =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

function named(what: string, typed: string, things: readonly Named[]): Checked {
  const resolved = resolveName(typed, things);
  if (resolved.kind === 'found') return { ok: true, value: resolved.name };
  const near = resolved.kind === 'ambiguous' ? resolved.candidates : resolved.nearest;
  return {
    ok: false,
    reason: `I know no ${what} of yours by that name.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''}`,
  };
}

function timeZone(typed: string): Checked {
  const wanted = typed.trim().replaceAll(' ', '_').toLowerCase();
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  // "Berlin" is said more often than "Europe/Berlin", and names one zone only.
  const cities = zones.filter((one) => one.toLowerCase().endsWith(`/${wanted}`));
  const zone =
    zones.find((one) => one.toLowerCase() === wanted) ?? (cities.length === 1 ? cities[0] : undefined);
  return zone
    ? { ok: true, value: zone }
    : { ok: false, reason: 'I do not know that time zone. Say it like Europe/Berlin.' };
}

/** A preference as it is kept: names resolved among what the person may use. */
export function checkPreference(
  policy: PolicyConfig,
  person: Person,
  name: Preference,
  typed: string,
): Checked {
  switch (name) {
    case 'bucket':
      return named('bucket', typed, bucketsFor(policy, person));
    case 'destination':
      return named('destination', typed, destinationsFor(policy, person));
    case 'timeZone':
      return timeZone(typed);
    case 'notifications':
      if (/\b(dm|direct|private)/i.test(typed)) return { ok: true, value: 'direct message' };
      if (/\b(thread|channel)/i.test(typed)) return { ok: true, value: 'thread' };
      return { ok: false, reason: 'Notifications come by direct message or in the thread.' };
  }
}
