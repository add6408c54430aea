/** The tool `list_bucket_contents`: one level below a prefix, what matches a pattern, or a search by words. */
import { z } from 'zod';
import { checkKey } from '../../core/object-name.ts';
import type { ObjectFacts } from '../../core/s3-object-facts.ts';
import { askerOf } from '../commands/selection.ts';
import { bucketName } from './selection.ts';
import { data, defineTool, refused } from './tool.ts';

const row = ({ key, size, lastModified, archived }: ObjectFacts) => ({
  key,
  size,
  lastModified: new Date(lastModified).toISOString(),
  ...(archived ? { archived } : {}),
});

export const listBucketContents = defineTool({
  name: 'list_bucket_contents',
  description:
    'Lists folders and files in a bucket: one level below `prefix`, or all that match `pattern`. ' +
    'With `search`, finds the files whose names are most like those words; such finds are guesses, and the person is asked before one is sent.',
  input: z.strictObject({
    bucket: bucketName,
    prefix: z.string().max(1_024).optional(),
    pattern: z.string().min(1).max(1_024).optional(),
    search: z.string().min(1).max(200).optional(),
    limit: z.int().min(1).max(50).default(25),
  }),
  async run({ bucket, prefix = '', pattern, search, limit }, { deps, turn, evidence, signal }) {
    const asker = askerOf(turn);
    if (search !== undefined) {
      const found = await deps.browse.findByName(asker, bucket, search, Math.min(limit, 10), signal);
      return found.kind === 'candidates'
        ? data({ candidates: found.objects.map(row), searchedEverything: found.complete })
        : refused(found.reason);
    }
    const verdict = checkKey(pattern ?? prefix);
    if (!verdict.ok) return refused(verdict.reason);
    const selection =
      pattern === undefined ? ({ kind: 'prefix', prefix } as const) : ({ kind: 'glob', pattern } as const);
    const listing = await deps.browse.listObjects(asker, bucket, selection, limit, signal);
    if (listing.kind === 'not_found') return refused(`S3 knows no bucket ${bucket}.`);
    if (listing.kind !== 'listing') return refused(listing.reason);
    evidence.saw(bucket, [...listing.folders, ...listing.objects.map(({ key }) => key)]);
    const keys = listing.objects.map(({ key }) => key);
    if (keys.length > 0) await deps.focus?.keep(turn, { listing: { bucket, keys } });
    return data({ bucket, folders: listing.folders, files: listing.objects.map(row), more: listing.more });
  },
});
