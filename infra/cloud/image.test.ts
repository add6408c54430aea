import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLambdaRuntimeApi } from '../../test/fakes/lambda-runtime-api.ts';
import { synthesize } from '../../test/support/cloud.ts';
import { type IamGate, startIamGate } from '../../test/support/iam-gate.ts';
import { hasLocalSlack } from '../../test/support/require.ts';
import {
  dockerIgnore,
  localOnly,
  POLICY_ARGUMENT,
  REPOSITORY,
  readDockerfile,
  stageImage,
} from '../../test/support/staged-image.ts';
import { type LogLine, NODE_FLAGS, type Service, type ServiceName, startService } from '../local/services.ts';
import { slackStage } from '../local/slack-stage.ts';
import { type Stack, startStack } from '../local/stack.ts';
import { playStory } from '../local/story.ts';

const run = promisify(execFile);

describe('the Dockerfile', () => {
  it('builds in two stages from the slim image of the Node that FileFerry runs on', async () => {
    const stages = await readDockerfile();
    expect(stages.map(([from]) => from?.args)).toEqual(['node:24-slim AS packages', 'node:24-slim']);
    const [packages = []] = stages;
    const installs = packages.filter(({ name }) => name === 'RUN').map(({ args }) => args);
    expect(installs).toEqual([expect.stringMatching(/^npm ci .*--omit=dev .*--ignore-scripts/)]);
    const [, removed = ''] = installs[0]?.split('&& rm -rf ') ?? [];
    expect(removed.split(/\s+/)).toEqual([
      'node_modules/.bin/node',
      ...(await localOnly()).map((name) => `node_modules/${name}`),
    ]);
  });

  it('runs as somebody who owns nothing, in exec form, with a health check and SIGTERM', async () => {
    const [, final = []] = await readDockerfile();
    const at = (name: string) => final.findIndex((instruction) => instruction.name === name);
    const args = (name: string) => final[at(name)]?.args ?? '';
    expect(args('USER')).toBe('node');
    expect(at('USER')).toBeLessThan(at('ENTRYPOINT'));
    expect(final.slice(at('USER') + 1).map(({ name }) => name)).not.toContain('COPY');
    for (const name of ['ENTRYPOINT', 'CMD']) expect(JSON.parse(args(name))).toBeInstanceOf(Array);
    expect(args('HEALTHCHECK')).toMatch(/ CMD \["node", /);
    expect(args('STOPSIGNAL')).toBe('SIGTERM');
    expect(JSON.parse(args('ENTRYPOINT'))).toEqual(['node', ...NODE_FLAGS, '--import', './core/otel.ts']);
    const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
    for (const name of ['bot', 'worker']) {
      expect(scripts[`start:${name}`]).toContain(`node ${NODE_FLAGS.join(' ')} `);
    }
  });

  it('fetches nothing else, takes no whole folder, and holds no secret', async () => {
    const all = (await readDockerfile()).flat();
    expect(all.map(({ name }) => name)).not.toContain('ADD');
    for (const { name, args } of all) {
      if (name === 'RUN') expect(args).not.toMatch(/curl|wget|apt-get|npm install|sudo|chmod 777/);
      if (name === 'COPY') expect(args).not.toMatch(/^\.\s|^\*/);
      if (name === 'ENV' || name === 'ARG') expect(args).not.toMatch(/TOKEN|SECRET|PASSWORD|KEY/);
    }
  });
});

describe('.dockerignore', () => {
  it('keeps everything out that is not listed', async () => {
    const lines = (await readFile(join(REPOSITORY, '.dockerignore'), 'utf8')).split('\n');
    expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
    const ignores = await dockerIgnore();
    const secret = [
      '.env',
      'id_rsa',
      'fileferry.log',
      '.git',
      'node_modules',
      'test',
      'infra/local',
      'cdk.out',
    ];
    expect(secret.filter((path) => !ignores(path))).toEqual([]);
    expect(ignores('core/config.test.ts')).toBe(true);
    expect(ignores('core/config.ts')).toBe(false);
  });

  it('lets through whatever the Dockerfile copies', async () => {
    const ignores = await dockerIgnore();
    const copied = (await readDockerfile())
      .flat()
      .filter(({ name, args }) => name === 'COPY' && !args.startsWith('--from'))
      .flatMap(({ args }) => args.split(/\s+/).slice(0, -1))
      .map((path) => path.replace(POLICY_ARGUMENT, 'fileferry.config.example.yaml'));
    expect(copied.length).toBeGreaterThan(8);
    expect(copied.filter((path) => ignores(path) || !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });
});

describe('the staged image, with production packages only', () => {
  let folder: string;
  let cache: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fileferry-image-'));
    cache = join(folder, '.compile-cache');
    await stageImage(folder, 'fileferry.config.example.yaml');
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has no package of development, no test and no other program', async () => {
    expect((await readdir(folder)).sort()).toEqual(
      'adapters agent bot core fileferry.config.yaml infra node_modules package.json worker'
        .split(' ')
        .sort(),
    );
    const programs = ['vitest', 'aws-cdk-lib', 'typescript', 'fauxqs'];
    for (const name of programs) expect(existsSync(join(REPOSITORY, 'node_modules', name)), name).toBe(true);
    for (const name of [...programs, ...(await localOnly())])
      expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false);
    const files = await readdir(folder, { recursive: true });
    const own = files.filter((path) => !path.startsWith('node_modules'));
    expect(own.filter((path) => path.endsWith('.test.ts'))).toEqual([]);
    expect(own).toContain(join('infra', 'cloud', 'image', 'health.ts'));
    expect(own.some((path) => path.startsWith(join('infra', 'local')))).toBe(false);
  });

  it('loads whole, keeps what was compiled, and says by the health check that nothing runs', {
    timeout: 60_000,
  }, async () => {
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: cache };
    const { stdout } = await run(process.execPath, ['infra/cloud/image/warm.ts'], { cwd: folder, env });
    expect(stdout).toContain(cache);
    expect((await readdir(cache, { recursive: true })).length).toBeGreaterThan(200);
    const health = run(process.execPath, ['infra/cloud/image/health.ts', '1'], { cwd: folder, env });
    await expect(health).rejects.toMatchObject({ code: 1 });
  });

  it.skipIf(!hasLocalSlack())(
    'plays the whole story, each service with no more rights than its role has in the cloud',
    { timeout: 120_000 },
    async () => {
      const cloud = synthesize();
      const before = (await readdir(folder, { recursive: true })).filter(
        (path) => !path.startsWith('.compile'),
      );
      const stack: Stack = await startStack({ slack: 'socket' });
      const gates: IamGate[] = [];
      const services: Service[] = [];
      const log: LogLine[] = [];
      const start = async (name: ServiceName, environment: Readonly<Record<string, string>>) => {
        const policy = cloud.policyOf(`FileFerry-${name}`);
        const dynamoDb = await startIamGate(policy, stack.dynamoDb.endpoint);
        const sqs = await startIamGate(policy, stack.sqs.endpoint);
        gates.push(dynamoDb, sqs);
        const gated = {
          ...environment,
          NODE_COMPILE_CACHE: cache,
          // So that what looks for left work looks within the story.
          RECONCILE_SECONDS: '1',
          AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
          AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        };
        services.push(await startService(name, gated, (line) => log.push(line), folder));
      };
      try {
        await start('bot', stack.environmentForBot());
        await start('worker', stack.environmentForWorker());
        if (!stack.slack) throw new Error('the story needs the local Slack');
        const never = new AbortController().signal;
        const story = await playStory(stack, slackStage(stack.slack), () => {}, never);
        expect(story).toMatchObject({ status: 'completed', sha256Target: story.sha256Source });
        for (const { url } of services) {
          const health = run(process.execPath, ['infra/cloud/image/health.ts', new URL(url).port], {
            cwd: folder,
          });
          await expect(health).resolves.toMatchObject({ stdout: '' });
        }
        expect(gates.flatMap(({ refused }) => [...refused])).toEqual([]);
        const used = gates.map((gate) =>
          [...gate.used].map((question) => question.replace(/ .*FileFerry-/, ' ')),
        );
        // The gates of the bot before those of the worker, DynamoDB's before SQS's: each saw what it is there for.
        expect(used).toEqual([
          expect.arrayContaining([
            'dynamodb:Query TransferRequests/index/DueIndex',
            'dynamodb:PutItem UserContext',
          ]),
          expect.arrayContaining(['sqs:SendMessage Transfers']),
          expect.arrayContaining([
            'dynamodb:Query TransferRequests/index/DueIndex',
            'dynamodb:UpdateItem AgentLearning',
          ]),
          expect.arrayContaining([
            'sqs:DeleteMessage Transfers',
            'sqs:ReceiveMessage Transfers-dead-letters',
          ]),
        ]);
        await Promise.all(services.map((service) => service.stop()));
        expect(await Promise.all(services.map(({ exited }) => exited))).toEqual([0, 0]);
        // The root file system is read-only in the cloud.
        const after = (await readdir(folder, { recursive: true })).filter(
          (path) => !path.startsWith('.compile'),
        );
        expect(after).toEqual(before);
      } finally {
        await Promise.all(services.map((service) => service.stop()));
        await Promise.all(gates.map((gate) => gate.stop()));
        await stack.stop();
      }
    },
  );

  it.skipIf(!hasLocalSlack())('runs the bot as a Lambda function, too', { timeout: 60_000 }, async () => {
    const stack = await startStack({ slack: { requestUrl: 'http://127.0.0.1:1/slack/events' } });
    const lambda = await startLambdaRuntimeApi();
    const child = spawn(process.execPath, ['bot/lambda.ts'], {
      cwd: folder,
      env: {
        ...stack.environmentForBot(),
        NODE_COMPILE_CACHE: cache,
        AWS_LAMBDA_RUNTIME_API: lambda.address,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      // Woken by the rule, it looks for turns that were left.
      lambda.deliver({ source: 'aws.events' });
      await vi.waitFor(() => expect(lambda.story).toEqual(['next', 'response to request-1', 'next']), 15_000);
      const forged = { 'content-type': 'application/json', 'x-slack-signature': 'v0=forged' };
      const http = { method: 'POST' };
      lambda.deliver({ rawPath: '/slack/events', headers: forged, body: '{}', requestContext: { http } });
      await vi.waitFor(() => expect(lambda.answers[0]?.head.statusCode).toBe(401), 15_000);
    } finally {
      child.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
      await lambda.stop();
      await stack.stop();
    }
  });
});
