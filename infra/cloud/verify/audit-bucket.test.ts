import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { closeServer, listenLocally } from '../../local/listen.ts';
import { lookAtAuditBucket } from './audit-bucket.ts';

let answer: { status: number; body: string };
let asked = '';
const server = createServer((req, res) => {
  asked = `${req.method} ${req.url}`;
  res.writeHead(answer.status, { 'content-type': 'application/xml' }).end(answer.body);
});
let endpoint = '';
beforeAll(async () => {
  endpoint = await listenLocally(server);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await closeServer(server);
});

const lock = (rule: string) =>
  `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}</ObjectLockConfiguration>`;
const retention = (mode: string) =>
  lock(`<Rule><DefaultRetention><Mode>${mode}</Mode><Days>400</Days></DefaultRetention></Rule>`);
const fault = (code: string) => `<Error><Code>${code}</Code><Message>no</Message></Error>`;

it.each([
  ['retained by nobody to be undone', 200, retention('COMPLIANCE'), 'ok', 'COMPLIANCE, 400 days'],
  ['retained until somebody may', 200, retention('GOVERNANCE'), 'wrong', 'GOVERNANCE, 400 days'],
  ['locked, but nothing retained', 200, lock(''), 'wrong', 'nothing in it is retained'],
  ['without Object Lock', 404, fault('ObjectLockConfigurationNotFoundError'), 'wrong', 'ObjectLockConf'],
  ['not there', 404, fault('NoSuchBucket'), 'wrong', 'NoSuchBucket'],
  ['of others', 403, fault('AccessDenied'), 'unknown', 'may not look'],
])('a bucket that is %s', async (_what, status, body, expected, found) => {
  answer = { status, body };
  const place = { region: 'us-east-1', endpoint, forcePathStyle: true };
  const findings = await lookAtAuditBucket(place, 'fileferry-audit', false);
  expect(asked).toMatch(/^GET \/fileferry-audit\/?\?object-lock=?$/);
  expect(findings).toMatchObject([
    { area: 'audit', what: 'fileferry-audit', status: expected, found: expect.stringContaining(found) },
  ]);
  expect(findings[0]?.todo === undefined).toBe(expected !== 'wrong');
});

it('says what it means when there is none', async () => {
  const place = { region: 'us-east-1', endpoint, forcePathStyle: true };
  expect(await lookAtAuditBucket(place, undefined, false)).toMatchObject([
    { status: 'unknown', found: expect.stringContaining('90 days') },
  ]);
});
