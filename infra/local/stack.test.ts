import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadBotConfig, loadWorkerConfig, type WorkerConfig } from '../../core/config.ts';
import type { Person } from '../../core/person.ts';
import { mayRequest } from '../../core/policy.ts';
import { pingTables } from '../../core/stores/client.ts';
import { SESSION_TAGS } from '../schema/role.ts';
import { localSlackBinary } from './local-slack.ts';
import { PEOPLE, type PersonName, WORKSPACE } from './slack-workspace.ts';
import { type Stack, startStack } from './stack.ts';
import { WORLD_OBJECTS } from './world.ts';

const person = (name: PersonName): Person => ({
  userId: `slack:${WORKSPACE.teamId}:${PEOPLE[name].id}`,
  name: PEOPLE[name].realName,
  standing: 'member',
});

describe('the stack', () => {
  let stack: Stack;
  let worker: WorkerConfig;

  beforeAll(async () => {
    stack = await startStack({ slack: 'none' });
    worker = loadWorkerConfig(stack.environmentForWorker());
  });
  afterAll(() => stack?.stop());

  /** S3 as the worker reaches it: by the keys in its environment, through the role. */
  async function s3AsWorker(): Promise<S3Client> {
    const { env, secretsFrom } = worker;
    const sts = new STSClient({
      region: env.AWS_REGION,
      ...(env.AWS_ENDPOINT_URL_STS && { endpoint: env.AWS_ENDPOINT_URL_STS }),
      credentials: {
        accessKeyId: secretsFrom.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: secretsFrom.AWS_SECRET_ACCESS_KEY ?? '',
      },
    });
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: env.READ_ONLY_ROLE_ARN,
        RoleSessionName: 'test',
        ExternalId: env.READ_ONLY_ROLE_EXTERNAL_ID,
        DurationSeconds: 900,
        Tags: [
          { Key: SESSION_TAGS.user, Value: 'test' },
          { Key: SESSION_TAGS.subject, Value: 'test' },
        ],
      }),
    );
    return new S3Client({
      region: env.AWS_REGION,
      ...(env.AWS_ENDPOINT_URL_S3 && { endpoint: env.AWS_ENDPOINT_URL_S3 }),
      forcePathStyle: env.S3_FORCE_PATH_STYLE,
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      },
    });
  }

  it('gives bot and worker settings that they accept, and the FTP password to the worker alone', () => {
    expect(loadBotConfig(stack.environmentForBot()).env.PORT).toBe(0);
    expect(Object.keys(worker.policy.destinations)).toEqual(['acme-ftp', 'partner-ftp', 'offline-ftp']);
    expect(Object.values(stack.environmentForWorker())).toContain(stack.ftp.password);
    expect(Object.values(stack.environmentForBot())).not.toContain(stack.ftp.password);
  });

  it('has the tables and both queues where the settings say', async () => {
    await pingTables({ client: stack.documents, tablePrefix: worker.env.TABLE_PREFIX });
    expect(await stack.transfers.get('TRF-0000000000')).toBeUndefined();
    const sqs = new SQSClient({
      region: worker.env.AWS_REGION,
      endpoint: stack.sqs.endpoint,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    for (const QueueUrl of [worker.env.QUEUE_URL, worker.env.DEAD_LETTER_QUEUE_URL]) {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
      );
      expect(Attributes?.ApproximateNumberOfMessages).toBe('0');
    }
    sqs.destroy();
  });

  it('lets the role read every object of the world that is not archived, and only through the role', async () => {
    const s3 = await s3AsWorker();
    for (const { bucket, key, size, storageClass } of WORLD_OBJECTS) {
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key }));
      expect(Contents?.[0]).toMatchObject({ Key: key, Size: size });
      const read = s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (storageClass) await expect(read).rejects.toMatchObject({ name: 'InvalidObjectState' });
      else expect((await (await read).Body?.transformToByteArray())?.length).toBe(size);
    }
    const { secretsFrom } = worker;
    const direct = new S3Client({
      region: worker.env.AWS_REGION,
      endpoint: stack.s3.endpoint,
      forcePathStyle: true,
      credentials: {
        accessKeyId: secretsFrom.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: secretsFrom.AWS_SECRET_ACCESS_KEY ?? '',
      },
    });
    await expect(direct.send(new ListObjectsV2Command({ Bucket: 'finance-exports' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    s3.destroy();
    direct.destroy();
  });

  it.each([
    ['ana', 'finance-exports', 'acme-ftp', true],
    ['dan', 'marketing-assets', 'partner-ftp', true],
    ['bob', 'finance-exports', 'acme-ftp', false],
    ['ana', 'legal-docs', 'acme-ftp', false],
    ['ana', 'marketing-assets', 'acme-ftp', false],
  ] as const)(
    'its policy, asked whether %s may send from %s to %s, says %s',
    (who, bucket, destination, allowed) => {
      const scope = { bucket, keys: ['logo'], destination, totalBytes: 1, objectCount: 1 };
      expect(mayRequest(worker.policy, person(who), scope).allowed).toBe(allowed);
    },
  );
});

describe('starting and stopping', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fileferry-stack-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const listening = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;

  /** The system lets a closed port go a turn of the event loop later. */
  const closedDownTo = (before: number) => vi.waitFor(() => expect(listening()).toBe(before));

  it('closes every server, twice if need be, and keeps a folder that it was given', async () => {
    const before = listening();
    const stack = await startStack({ slack: 'none', folder: join(folder, 'kept') });
    expect(listening()).toBeGreaterThan(before);
    await stack.stop();
    await stack.stop();
    await closedDownTo(before);
    expect(await readdir(join(folder, 'kept'))).toContain('fileferry.config.yaml');
  });

  it('says which server did not start, and leaves none behind', async () => {
    const before = listening();
    const broken = join(folder, 'broken');
    const stack = await startStack({ slack: 'none', folder: broken });
    await stack.stop();
    await rm(join(broken, 'ftp'), { recursive: true });
    await writeFile(join(broken, 'ftp'), 'not a folder');
    await expect(startStack({ slack: 'none', folder: broken })).rejects.toThrow(
      /^the local FTP server did not start: .*EEXIST/,
    );
    await closedDownTo(before);
  });

  it.skipIf(!localSlackBinary())('brings Slack with it, over a socket or to a URL', async () => {
    const overSocket = await startStack({ folder: join(folder, 'socket') });
    const environment = overSocket.environmentForBot();
    expect(environment).toMatchObject({
      SLACK_API_URL: overSocket.slack?.apiUrl,
      SLACK_APP_TOKEN: 'xapp-local',
    });
    expect(environment).not.toHaveProperty('SLACK_SIGNING_SECRET');
    await overSocket.stop();

    const requestUrl = 'http://127.0.0.1:45678/slack/events';
    const toUrl = await startStack({ slack: { requestUrl }, folder: join(folder, 'url') });
    const { env } = loadBotConfig(toUrl.environmentForBot());
    expect(env).toMatchObject({ PORT: 45_678, SLACK_SIGNING_SECRET: 'local-secret' });
    expect(env.SLACK_APP_TOKEN).toBeUndefined();
    await toUrl.stop();
  });
});
