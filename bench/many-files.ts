/**
 * Ten thousand small files from proposal to completion, and that memory does not grow with them:
 * `node bench/many-files.ts [--counts 1000,10000]`. The servers are other processes than the one that is measured.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import PQueue from 'p-queue';
import { createTables } from '../core/stores/create-tables.ts';
import { ADMIN_POLICY } from '../infra/local/access-policy.ts';
import { startDynamoDb } from '../infra/local/dynamodb.ts';
import { createKeyRing } from '../infra/local/key-ring.ts';
import { startS3 } from '../infra/local/s3.ts';
import { NODE_FLAGS } from '../infra/local/services.ts';
import { startEmbedded } from '../test/servers/embedded.ts';
import type { ManyFilesOrder, ManyFilesResult } from './many-files-run.ts';

const BUCKET = 'many-files';
const TABLES = 'Many-';
const CONNECTIONS = 8;
/** What ten thousand more keys may take of the heap at the most: well below what their list would. */
const MOST_MORE_MIB = 12;
/** Most that the worker's process may take. */
const MOST_RSS_MIB = 200;

const { values } = parseArgs({ options: { counts: { type: 'string', default: '1000,10000' } } });
const counts = values.counts.split(',').map(Number);
const folder = mkdtempSync(join(tmpdir(), 'fileferry-many-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const keys = createKeyRing();
const { accessKeyId, secretAccessKey } = keys.addUser('admin', ADMIN_POLICY);
const s3 = await startS3({ folder: join(folder, 's3'), keys });
const dynamo = await startDynamoDb();
const ftp = await startEmbedded();
const credentials = { accessKeyId, secretAccessKey };
const region = 'us-east-1';
const admin = new S3Client({ endpoint: s3.endpoint, region, forcePathStyle: true, credentials });
const tables = new DynamoDBClient({ endpoint: dynamo.endpoint, region, credentials });

const contentOf = (key: string) => `The whole of ${key}.\n`;

async function measure(count: number): Promise<ManyFilesResult> {
  const prefix = `of-${count}/`;
  const queue = new PQueue({ concurrency: 16 });
  for (let index = 0; index < count; index += 1) {
    const Key = `${prefix}${String(index % 10)}/file-${String(index).padStart(6, '0')}.txt`;
    void queue.add(() => admin.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: contentOf(Key) })));
    await queue.onSizeLessThan(32);
  }
  await queue.onIdle();
  const order: ManyFilesOrder = {
    s3: { endpoint: s3.endpoint, ...credentials },
    dynamo: { endpoint: dynamo.endpoint, prefix: TABLES },
    ftp: { port: ftp.port, user: ftp.user, password: ftp.password, folder: ftp.ftpRoot },
    bucket: BUCKET,
    prefix,
    connections: CONNECTIONS,
  };
  const program = [join(import.meta.dirname, 'many-files-run.ts'), JSON.stringify(order)];
  const child = spawn(process.execPath, [...NODE_FLAGS, '--expose-gc', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the measured process ended with ${code}`);
  let whole = 0;
  for (const entry of readdirSync(join(ftp.root, prefix), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (readFileSync(path, 'utf8') !== contentOf(path.slice(ftp.root.length).replace(/^\//, '')))
      throw new Error(`${path} is not what was sent`);
    whole += 1;
  }
  if (whole !== count) throw new Error(`${whole} of ${count} files are there`);
  return JSON.parse(said) as ManyFilesResult;
}

try {
  await createTables(tables, TABLES);
  await admin.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const results: ManyFilesResult[] = [];
  for (const count of counts) {
    const result = await measure(count);
    results.push(result);
    const { outcome, objects, proposalSeconds, transferSeconds, heapMiB, rssMiB } = result;
    console.log(
      `${objects} files ${outcome}, all identical: proposed in ${proposalSeconds.toFixed(1)} s, sent in ${transferSeconds.toFixed(1)} s; heap in use ≤ ${heapMiB.toFixed(1)} MiB, RSS ≤ ${rssMiB.toFixed(0)} MiB`,
    );
  }
  const more = (results.at(-1)?.heapMiB ?? 0) - (results[0]?.heapMiB ?? 0);
  const met =
    more <= MOST_MORE_MIB &&
    results.every(({ outcome, rssMiB }) => outcome === 'completed' && rssMiB <= MOST_RSS_MIB);
  console.log(
    `${more.toFixed(1)} MiB more heap for the most than for the fewest (at most ${MOST_MORE_MIB}, and RSS ≤ ${MOST_RSS_MIB}: ${met ? 'met' : 'MISSED'})`,
  );
  if (!met) process.exitCode = 1;
} finally {
  admin.destroy();
  tables.destroy();
  await ftp.stop();
  await s3.stop();
  await dynamo.stop();
}
