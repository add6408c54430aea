/** The tool `list_s3_buckets`: the buckets of which the asker may see at least a part. */
import { z } from 'zod';
import { data, defineTool } from './tool.ts';

export const listS3Buckets = defineTool({
  name: 'list_s3_buckets',
  description:
    'Lists the S3 buckets that the person may read, optionally those whose name or description holds a word.',
  input: z.strictObject({ filter: z.string().max(100).optional() }),
  run: ({ filter }, { deps, turn }) => data({ buckets: deps.browse.listBuckets(turn.person, filter) }),
});
