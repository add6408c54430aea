/** One measured run of FileFerry's engine, as a process: the streaming step of a worker, with its state in memory. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { pino } from 'pino';
import type { Destination } from '../core/policy-config.ts';
import type { ObjectState, TransferObject } from '../core/transfer.ts';
import { plannedObject, proposal } from '../test/support/transfers.ts';
import { createConnections } from '../worker/connections.ts';
import { createFtpTarget } from '../worker/ftp-target.ts';
import type { Lease } from '../worker/lease.ts';
import { createS3Source } from '../worker/s3-source.ts';
import { prepareStreaming } from '../worker/steps/stream.ts';
import { DEFAULT_RETRY } from '../worker/with-retry.ts';
import { type BenchObject, BUCKET } from './sides.ts';

/** What the process is told, as JSON in its first argument. */
export interface FerryOrder {
  readonly endpoint: string;
  readonly ftp: {
    readonly host: string;
    readonly port: number;
    readonly tls: 'none' | 'explicit';
    readonly ca: string;
    readonly user: string;
    readonly password: string;
    readonly folder: string;
  };
  readonly objects: readonly (BenchObject & { readonly etag: string })[];
  readonly connections: number;
  /** Kept across processes: a later one goes on where this one was killed. */
  readonly state?: {
    /** Objects' states as the database would have them. */
    readonly file: string;
    /** How many bytes were handed to the server, as text. */
    readonly sentFile: string;
    /** Fencing token of this process's lease. */
    readonly token: number;
  };
}

/** What it says at the end, as JSON on its standard output. */
export interface FerryResult {
  /** From having the transfer to having all files under their names. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Peak of the whole process. */
  readonly rssMiB: number;
  readonly verified: string;
  /** Where the first object went on. */
  readonly startedAt: number;
}

async function run({ endpoint, ftp, objects, connections, state }: FerryOrder): Promise<FerryResult> {
  const log = pino({ level: 'warn' }, pino.destination(2));
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' },
  });
  const destination: Destination = {
    aliases: [],
    host: ftp.host,
    port: ftp.port,
    tls: ftp.tls,
    user: ftp.user,
    password: 'env:UNUSED',
    folder: ftp.folder || '/',
    existing: 'refuse',
    maxConnections: connections,
  };
  const planned = objects.map(({ key, size, etag }, index) =>
    plannedObject(index, { key, size, etag, targetPath: `${ftp.folder}/${key}` }),
  );
  const states: ObjectState[] = planned.map(() => ({ state: 'pending' }));
  if (state && state.token > 1) states[0] = JSON.parse(readFileSync(state.file, 'utf8')) as ObjectState;
  const proposed = proposal({}, planned);
  const transfer = { ...proposed, plan: { ...proposed.plan, bucket: BUCKET } };
  const lease: Lease = {
    transferId: transfer.transferId,
    token: state?.token ?? 1,
    isFresh: () => true,
    write: async () => transfer,
    release: async () => transfer,
  };
  const signal = new AbortController().signal;
  const source = createS3Source({ client: async () => client, log });
  let startedAt = -1;
  const sent = state ? openSync(state.sentFile, 'a+') : undefined;

  const cpu = process.cpuUsage();
  const begun = performance.now();
  const streaming = await prepareStreaming({
    transfer,
    lease,
    destination,
    source: {
      check: source.check,
      read(object, start, stop, end) {
        // The seam is read with an end; the upload without.
        if (end === undefined && startedAt < 0) startedAt = start;
        const chunks = source.read(object, start, stop, end);
        return sent === undefined || end !== undefined ? chunks : counted(chunks, start, sent);
      },
    },
    target: createFtpTarget(destination, async () => ftp.password, log, {
      ...(ftp.tls === 'none' ? {} : { ca: async () => ftp.ca }),
    }),
    objects: {
      async *read(): AsyncGenerator<TransferObject> {
        for (const object of planned) {
          yield { ...object, progress: states[object.index] ?? { state: 'pending' } };
        }
      },
      async setProgress(_transfer, index, progress) {
        states[index] = progress;
        if (state) writeFileSync(state.file, JSON.stringify(progress));
      },
    },
    connections: createConnections(),
    facts: new Map(),
    retry: DEFAULT_RETRY,
    signal,
    now: Date.now,
    log,
  });
  const verified = await streaming.run();
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  if (sent !== undefined) closeSync(sent);
  source.close();
  client.destroy();
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    rssMiB: process.resourceUsage().maxRSS / 1_024,
    verified,
    startedAt,
  };
}

/** Writes down how far it got, which outlives a SIGKILL: bytes taken from the source, so none sent is left out. */
async function* counted(chunks: AsyncIterable<Buffer>, start: number, file: number): AsyncGenerator<Buffer> {
  let at = start;
  for await (const chunk of chunks) {
    at += chunk.length;
    writeSync(file, `${at}\n`);
    yield chunk;
  }
}

const result = await run(JSON.parse(process.argv[2] ?? '') as FerryOrder);
process.stdout.write(JSON.stringify(result));
