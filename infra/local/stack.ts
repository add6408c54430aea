/** The embedded stack: every outside party as its own server, the demo's world in them, and what the programs need to know. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createTables } from '../../core/stores/create-tables.ts';
import { createTransferStore, type TransferStore } from '../../core/stores/transfer-store.ts';
import { READ_ONLY_ROLE } from '../schema/role.ts';
import { ADMIN_POLICY, mayAssume, READ_ONLY_ROLE_POLICY, READ_ONLY_ROLE_TRUST } from './access-policy.ts';
import { type LocalBedrock, type ModelScript, startBedrock } from './bedrock.ts';
import { startDynamoDb } from './dynamodb.ts';
import { type LocalFtp, startFtp } from './ftp.ts';
import { createKeyRing, LOCAL_ACCOUNT } from './key-ring.ts';
import type { LocalServer } from './listen.ts';
import { type LocalSlack, startLocalSlack } from './local-slack.ts';
import { type LocalTeams, localTeamsSettings, startLocalTeams } from './local-teams.ts';
import { type LocalS3, startS3 } from './s3.ts';
import { type LocalServiceNow, startServiceNow } from './servicenow.ts';
import type { SlackDelivery } from './slack-workspace.ts';
import { type LocalSqs, startSqs } from './sqs.ts';
import { createEnvironments, type Environments, REGION, TABLE_PREFIX } from './stack-environment.ts';
import { startSts } from './sts.ts';
import { seedWorld } from './world.ts';
import { worldPolicy } from './world-policy.ts';

export interface StackOptions {
  /** `none` leaves Slack to the caller, who then sets `SLACK_API_URL` in both environments; `socket` unless given. */
  readonly slack?: SlackDelivery | 'none';
  /**
   * `fake`: our fake Bot Connector, with the same people. `elsewhere`: a Teams on this machine that somebody else
   * starts. None unless given.
   */
  readonly teams?: 'fake' | 'elsewhere';
  /** For everything that the servers keep on disk; a temporary one, removed by `stop`, unless given. */
  readonly folder?: string;
  /** Starts a scripted stand-in of Amazon Bedrock and lets the bot ask it; the fixed rules alone unless given. */
  readonly model?: ModelScript;
  /** How fast S3 sends, so that progress can be watched; as fast as it can unless given. */
  readonly bytesPerSecond?: number;
}

export interface Stack extends Environments {
  readonly dynamoDb: LocalServer;
  readonly sqs: LocalSqs;
  readonly s3: LocalS3;
  readonly sts: LocalServer;
  readonly ftp: LocalFtp;
  readonly serviceNow: LocalServiceNow;
  readonly slack: LocalSlack | undefined;
  readonly teams: LocalTeams | undefined;
  readonly model: LocalBedrock | undefined;
  /** The policy's file. */
  readonly configFile: string;
  /** A client of the tables, for looking at them. */
  readonly documents: DynamoDBDocumentClient;
  readonly transfers: TransferStore;
  /** A client that may do everything in S3, for looking, seeding and changing. */
  readonly s3Admin: S3Client;
  readObject(bucket: string, key: string): Promise<Buffer>;
  /** Stops everything in reverse order; may be called twice. */
  stop(): Promise<void>;
}

type Stop = () => unknown;

/** Remembers what was started, so that all of it is stopped, the latest first. */
function createStarter() {
  const stops: { readonly name: string; readonly stop: Stop }[] = [];
  let stopped: Promise<void> | undefined;
  async function stopAll(): Promise<void> {
    const faults: unknown[] = [];
    for (const { name, stop } of stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        faults.push(new Error(`the local ${name} did not stop`, { cause: error }));
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, faults.map(String).join('; '));
  }
  return {
    atStop: (name: string, stop: Stop) => void stops.push({ name, stop }),
    async start<T extends { stop(): Promise<void> }>(name: string, starting: () => Promise<T>): Promise<T> {
      try {
        const server = await starting();
        stops.push({ name, stop: () => server.stop() });
        return server;
      } catch (error) {
        throw new Error(`the local ${name} did not start: ${(error as Error).message}`, { cause: error });
      }
    },
    stop: () => {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

/** All of them, or the first fault once none is under way any more: what has started by then can be stopped. */
async function allOrFirstFault<T extends Record<string, Promise<unknown>>>(
  promises: T,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(Object.values(promises));
  const entries = Object.entries(promises).map(async ([name, promise]) => [name, await promise] as const);
  return Object.fromEntries(await Promise.all(entries)) as { [K in keyof T]: Awaited<T[K]> };
}

/**
 * Starts the stack with the demo's world in it.
 *
 * @throws Error that names the server which did not start, and why; the others are stopped by then
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const starter = createStarter();
  try {
    return await startAll(options, starter);
  } catch (error) {
    await starter.stop();
    throw error;
  }
}

async function startAll(options: StackOptions, starter: ReturnType<typeof createStarter>): Promise<Stack> {
  const { slack: delivery = 'socket', bytesPerSecond, model: script } = options;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'fileferry-')));
  if (options.folder === undefined) {
    starter.atStop('folder', () => rm(folder, { recursive: true, force: true }));
  } else {
    await mkdir(folder, { recursive: true });
  }

  const roleArn = `arn:aws:iam::${LOCAL_ACCOUNT}:role/${READ_ONLY_ROLE.name}`;
  const externalId = 'fileferry-local';
  const keys = createKeyRing();
  const admin = keys.addUser('admin', ADMIN_POLICY);
  const service = keys.addUser('fileferry', mayAssume(roleArn));

  const servers = await allOrFirstFault({
    dynamoDb: starter.start('DynamoDB', startDynamoDb),
    sqs: starter.start('SQS', startSqs),
    s3: starter.start('S3', () => startS3({ folder: join(folder, 's3'), keys })),
    sts: starter.start('STS', () =>
      startSts({
        keys,
        role: { arn: roleArn, externalId, policy: READ_ONLY_ROLE_POLICY, trust: READ_ONLY_ROLE_TRUST },
      }),
    ),
    ftp: starter.start('FTP server', () => startFtp({ folder: join(folder, 'ftp') })),
    serviceNow: starter.start('ServiceNow', () => startServiceNow()),
    model: script ? starter.start('model', () => startBedrock(script)) : Promise.resolve(undefined),
    slack:
      delivery === 'none'
        ? Promise.resolve(undefined)
        : starter.start('Slack', () => startLocalSlack({ folder: join(folder, 'slack'), delivery })),
    teams: options.teams === 'fake' ? starter.start('Teams', startLocalTeams) : Promise.resolve(undefined),
  });
  const { dynamoDb, s3, ftp } = servers;

  const tables = new DynamoDBClient({
    endpoint: dynamoDb.endpoint,
    region: REGION,
    credentials: { accessKeyId: admin.accessKeyId, secretAccessKey: admin.secretAccessKey },
  });
  starter.atStop('DynamoDB client', () => tables.destroy());
  const s3Admin = new S3Client({
    endpoint: s3.endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: admin.accessKeyId, secretAccessKey: admin.secretAccessKey },
  });
  starter.atStop('S3 client', () => s3Admin.destroy());

  const configFile = join(folder, 'fileferry.config.yaml');
  await Promise.all([
    createTables(tables, TABLE_PREFIX),
    seedWorld(s3Admin),
    writeFile(configFile, worldPolicy(ftp, options.teams !== undefined)),
  ]);
  if (bytesPerSecond !== undefined) s3.setReadFault({ bytesPerSecond });

  const documents = DynamoDBDocumentClient.from(tables, { marshallOptions: { removeUndefinedValues: true } });
  return {
    ...servers,
    ...createEnvironments({
      ...servers,
      folder,
      configFile,
      service,
      roleArn,
      externalId,
      delivery,
      teamsSettings: options.teams === 'elsewhere' ? localTeamsSettings() : (servers.teams?.settings ?? {}),
    }),
    configFile,
    documents,
    transfers: createTransferStore({ client: documents, tablePrefix: TABLE_PREFIX, now: Date.now }),
    s3Admin,
    async readObject(Bucket, Key) {
      const { Body } = await s3Admin.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    stop: starter.stop,
  };
}
