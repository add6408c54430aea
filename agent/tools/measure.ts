/** How many files a selection has and how many bytes they are, with the asker's rights and within the limits. */
import { FerryError } from '../../core/errors.ts';
import { checkKey } from '../../core/object-name.ts';
import { askerOf } from '../commands/selection.ts';
import { refused, type ToolContext, type ToolOutcome } from './tool.ts';

type Measured = {
  readonly kind: 'measured';
  readonly keys: readonly string[];
  readonly count: number;
  readonly bytes: number;
  readonly archived: number;
};
type Refused = Extract<ToolOutcome, { kind: 'refused' }>;

interface Files {
  readonly bucket: string;
  readonly keys?: readonly string[] | undefined;
  readonly prefix?: string | undefined;
  readonly pattern?: string | undefined;
}

export async function measureFiles(
  { deps, turn, signal }: ToolContext,
  { bucket, keys, prefix = '', pattern }: Files,
): Promise<Measured | Refused> {
  const no = (reason: string) => refused(reason) as Refused;
  for (const name of keys ?? [pattern ?? prefix]) {
    const verdict = checkKey(name);
    if (!verdict.ok) return no(verdict.reason);
  }
  const asker = askerOf(turn);
  const found: { key: string; size: number; archived: boolean }[] = [];
  if (keys) {
    const heads = await deps.browse.headObjects(asker, bucket, keys, { cached: true, signal });
    for (const [index, head] of heads.entries()) {
      if (head.kind === 'not_allowed') return no(head.reason);
      if (head.kind === 'not_found') return no(`There is no file ${keys[index] ?? ''} in ${bucket}.`);
      found.push(head);
    }
  } else {
    const selection =
      pattern === undefined ? ({ kind: 'prefix', prefix } as const) : ({ kind: 'glob', pattern } as const);
    const under = deps.browse.objectsUnder(asker, bucket, selection, signal);
    if (under.kind !== 'objects') return no(under.reason);
    const most = deps.policy.limits.maxObjects;
    try {
      for await (const object of under.objects) {
        found.push(object);
        if (found.length > most)
          return no(`That is more than ${most} files, the most that one transfer may have.`);
      }
    } catch (error) {
      if (error instanceof FerryError && (error.code === 'not_found' || error.code === 'not_allowed')) {
        return no(error.userMessage);
      }
      throw error;
    }
    if (found.length === 0) return no('There is no such file: nothing matched.');
  }
  return {
    kind: 'measured',
    keys: found.map(({ key }) => key),
    count: found.length,
    bytes: found.reduce((sum, { size }) => sum + size, 0),
    archived: found.filter(({ archived }) => archived).length,
  };
}
