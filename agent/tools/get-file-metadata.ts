/** The tool `get_file_metadata`: size, date, storage class and version of one file. */
import { z } from 'zod';
import { checkKey } from '../../core/object-name.ts';
import { askerOf } from '../commands/selection.ts';
import { bucketName } from './selection.ts';
import { data, defineTool, refused } from './tool.ts';

export const getFileMetadata = defineTool({
  name: 'get_file_metadata',
  description: 'Tells size in bytes, date, storage class, ETag and version of one file.',
  input: z.strictObject({ bucket: bucketName, key: z.string().min(1).max(1_024) }),
  async run({ bucket, key }, { deps, turn, signal }) {
    const verdict = checkKey(key);
    if (!verdict.ok) return refused(verdict.reason);
    const [outcome] = await deps.browse.headObjects(askerOf(turn), bucket, [key], { cached: true, signal });
    if (outcome?.kind === 'not_allowed') return refused(outcome.reason);
    if (outcome?.kind !== 'object') return refused(`There is no file ${key} in ${bucket}.`);
    const { size, etag, versionId, storageClass, archived, lastModified } = outcome;
    return data({
      bucket,
      key,
      size,
      etag,
      versionId,
      storageClass,
      archived,
      lastModified: new Date(lastModified).toISOString(),
    });
  },
});
