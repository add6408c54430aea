/** The proof that the role cannot write, against IAM's protocol over a socket. */
import { createServer } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { IAMClient } from '@aws-sdk/client-iam';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { createRoleProof, WRITE_ACTIONS } from './role-proof.ts';

let allowed: readonly string[] = [];
let down = false;
let asked: string[] = [];
const server = createServer(async (request, response) => {
  const form = new URLSearchParams(await readText(request));
  asked.push(form.get('PolicySourceArn') ?? '');
  response.setHeader('content-type', 'text/xml');
  if (down) {
    response.statusCode = 403;
    response.end(
      '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
    );
    return;
  }
  const members = WRITE_ACTIONS.map(
    (action) =>
      `<member><EvalActionName>${action}</EvalActionName><EvalDecision>${allowed.includes(action) ? 'allowed' : 'explicitDeny'}</EvalDecision></member>`,
  ).join('');
  response.end(
    `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>${members}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
  );
});
let iam: IAMClient;
const roleArn = 'arn:aws:iam::000000000000:role/FileFerryReadOnlyRole';
let clock = 0;
const proof = () => createRoleProof({ iam, roleArn, log: pino({ level: 'silent' }), now: () => clock });

beforeAll(async () => {
  iam = new IAMClient({
    endpoint: await listenLocally(server),
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  iam.destroy();
  await closeServer(server);
});

test('is given when every action that writes is denied, and asked again only later', async () => {
  asked = [];
  const prove = proof();
  expect(await prove('finance-exports')).toEqual({ outcome: 'read_only' });
  await prove('finance-exports');
  expect(asked).toEqual([roleArn]);
  clock += 600_000;
  await prove('finance-exports');
  expect(asked).toHaveLength(2);
});

test('names what the role can write', async () => {
  allowed = ['s3:PutObject', 's3:DeleteObject'];
  expect(await proof()('finance-exports')).toEqual({
    outcome: 'can_write',
    actions: ['s3:DeleteObject', 's3:PutObject'],
  });
  allowed = [];
});

test('is open, and says so, where the simulator may not be asked', async () => {
  down = true;
  expect(await proof()('finance-exports')).toMatchObject({ outcome: 'not_proven' });
  down = false;
});
