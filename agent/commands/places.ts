/** Resolves what a person calls a bucket or a destination to one that they may use, or asks. */
import { bucketsFor, destinationsFor, type Named, resolveName } from '../../core/names.ts';
import type { Person } from '../../core/person.ts';
import type { PolicyConfig } from '../../core/policy-config.ts';
import type { Source } from './command.ts';
import { ask, choice, found, refuse, type Step, said } from './replies.ts';

/** The command with a name filled in, as the sentence that a button says. */
type Complete = (name: string) => string;

function choose(
  kind: 'bucket' | 'destination',
  typed: string,
  things: readonly Named[],
  complete: Complete,
): Step<string> {
  const names = things.map(({ name }) => name);
  const choices = (some: readonly string[]) => some.map((name) => choice(name, complete(name)));
  const resolved = resolveName(typed, things);
  switch (resolved.kind) {
    case 'found':
      return found(resolved.name);
    case 'ambiguous':
      return ask(`Which ${kind} do you mean by ${said(typed)}?`, choices(resolved.candidates));
    case 'unknown':
      return ask(
        `There is no ${kind} ${said(typed)} that you may use. ${resolved.nearest.length > 0 ? 'Did you mean this?' : 'These are yours:'}`,
        choices(resolved.nearest.length > 0 ? resolved.nearest : names),
      );
  }
}

export function resolveDestination(
  policy: PolicyConfig,
  person: Person,
  typed: string | undefined,
  complete: Complete,
): Step<string> {
  const things = destinationsFor(policy, person);
  if (things.length === 0)
    return refuse('You may not send files to any destination.', 'Please ask your FileFerry team for access.');
  const choices = things.map(({ name }) => choice(name, complete(name)));
  if (typed === undefined) return ask('Where should it go?', choices);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) {
    return ask(
      `${said(typed)} is not a registered destination, and FileFerry sends to those only. These are yours:`,
      choices,
    );
  }
  return choose('destination', typed, things, complete);
}

/** An address names its bucket exactly; only what people say in words is resolved loosely. */
export function resolveBucket(
  policy: PolicyConfig,
  person: Person,
  typed: { readonly name: string; readonly exact: boolean } | undefined,
  complete: Complete,
): Step<string> {
  const things = bucketsFor(policy, person);
  if (things.length === 0)
    return refuse('You may not read any bucket.', 'Please ask your FileFerry team for access.');
  if (!typed)
    return ask(
      'Which bucket is it in?',
      things.map(({ name }) => choice(name, complete(name))),
    );
  if (!typed.exact) return choose('bucket', typed.name, things, complete);
  const name = typed.name.toLowerCase();
  if (things.some((thing) => thing.name === name)) return found(name);
  const loose = resolveName(typed.name, things);
  const likely =
    loose.kind === 'found' ? [loose.name] : loose.kind === 'ambiguous' ? loose.candidates : loose.nearest;
  if (likely.length === 0) return choose('bucket', typed.name, things, complete);
  return ask(
    `There is no bucket ${said(typed.name)} that you may use. Did you mean this?`,
    likely.map((one) => choice(one, complete(one))),
  );
}

/** `bucket/path/file` without `s3://`, where the first step is the name of a bucket that the person may read. */
export function splitBucket(policy: PolicyConfig, person: Person, source: Source): Source {
  if (source.bucket !== undefined || source.kind === 'words') return source;
  const text = source.kind === 'key' ? source.key : source.kind === 'prefix' ? source.prefix : source.pattern;
  const [first = '', ...rest] = text.split('/');
  if (rest.length === 0 || !bucketsFor(policy, person).some(({ name }) => name === first)) return source;
  const below = rest.join('/');
  if (source.kind === 'glob') return { ...source, bucket: first, pattern: below };
  if (source.kind === 'prefix' || below === '') return { kind: 'prefix', bucket: first, prefix: below };
  return { ...source, bucket: first, key: below };
}
