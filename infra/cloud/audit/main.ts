/** `npm run audit -- TRF-… [--json] [--env FILE]`: tells one transfer's story; exit code 1 when a link is broken, 2 without a story. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { TRANSFER_ID } from '../../../core/ids.ts';
import { createDocumentClient } from '../../../core/stores/client.ts';
import { createTransferStore } from '../../../core/stores/transfer-store.ts';
import { readStory, renderStory } from './story.ts';

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** A file of settings, beside the environment. */
    env: { type: 'string', default: '.env' },
  },
  allowPositionals: true,
});
if (existsSync(values.env)) process.loadEnvFile(values.env);
const { env } = process;
const [transferId = ''] = positionals;

function giveUp(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}
if (!TRANSFER_ID.test(transferId)) giveUp('usage: npm run audit -- TRF-XXXXXXXXXX [--json]');
const bucket = env.AUDIT_BUCKET || giveUp('AUDIT_BUCKET is not set: it names the bucket of audit events.');
const region = env.AWS_REGION || giveUp('AWS_REGION is not set.');
const endpointOf = (endpoint: string | undefined) => (endpoint ? { endpoint } : {});

try {
  const store = createTransferStore({
    client: createDocumentClient({ region, ...endpointOf(env.AWS_ENDPOINT_URL_DYNAMODB) }),
    tablePrefix: env.TABLE_PREFIX ?? 'FileFerry-',
    now: Date.now,
  });
  const s3 = new S3Client({
    region,
    ...endpointOf(env.AWS_ENDPOINT_URL_S3),
    forcePathStyle: env.S3_FORCE_PATH_STYLE === 'true',
  });
  const story = await readStory({ s3, bucket, transferId, record: await store.get(transferId) });
  const right = story.faults.length === 0;
  process.stdout.write(
    values.json ? `${JSON.stringify({ ok: right, ...story })}\n` : `${renderStory(story)}\n`,
  );
  process.exitCode = story.events.length === 0 ? 2 : right ? 0 : 1;
} catch (error) {
  giveUp(`The story cannot be read: ${error instanceof Error ? error.message : error}`);
}
