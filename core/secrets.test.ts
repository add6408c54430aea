import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { createSecretResolver } from './secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
/** Answers as Secrets Manager does: a name of an error is that error. */
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { SecretId } = JSON.parse(body);
  const [status, answer] =
    SecretId === 'acme'
      ? [200, { SecretString: 'from the manager' }]
      : SecretId === 'binary'
        ? [200, { SecretBinary: Buffer.from('as bytes').toString('base64') }]
        : [SecretId === 'InternalServiceError' ? 500 : 400, { __type: SecretId, message: 'no' }];
  response.writeHead(Number(status), { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(answer));
});
let endpoint = '';
let clients = 0;
const resolver = () =>
  createSecretResolver({
    environment: { ACME_PASSWORD: 'from env ', EMPTY: '' },
    secretsManager: () => {
      clients += 1;
      return new SecretsManagerClient({
        endpoint,
        region: 'us-east-1',
        maxAttempts: 1,
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      });
    },
  });

beforeAll(async () => {
  endpoint = await listenLocally(server);
});
afterAll(async () => {
  await closeServer(server);
  rmSync(folder, { recursive: true });
});

test('from the environment, as it is', async () => {
  expect(await resolver()('env:ACME_PASSWORD')).toBe('from env ');
});

test.each(['pass\nword\n', 'pass\nword\r\n', 'pass\nword'])(
  'from the file %j without its last line break',
  async (text) => {
    const path = join(folder, 'secret');
    writeFileSync(path, text);
    expect(await resolver()(`file:${path}`)).toBe('pass\nword');
  },
);

test('from Secrets Manager, whose client is made once and only when needed', async () => {
  const resolve = resolver();
  const before = clients;
  await resolve('env:ACME_PASSWORD');
  expect(clients).toBe(before);
  expect(await resolve('secretsmanager:acme')).toBe('from the manager');
  expect(await resolve('secretsmanager:binary')).toBe('as bytes');
  expect(clients).toBe(before + 1);
});

test.each([
  ['env:MISSING', 'internal', false],
  ['env:EMPTY', 'internal', false],
  ['env:constructor', 'internal', false],
  ['file:/nowhere/at/all', 'internal', false],
  ['secretsmanager:ResourceNotFoundException', 'internal', false],
  ['secretsmanager:AccessDeniedException', 'internal', false],
  ['secretsmanager:InternalServiceError', 'unavailable', true],
])('%s is a fault that names the reference', async (reference, code, retryable) => {
  const refused = resolver()(reference);
  await expect(refused).rejects.toMatchObject({ code, retryable });
  await expect(refused).rejects.toThrow(reference);
});

test('a secret in place of its reference is not shown', async () => {
  await expect(resolver()('hunter2')).rejects.toThrow(/^(?!.*hunter2)/s);
});
