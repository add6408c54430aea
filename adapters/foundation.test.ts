import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Measured } from '../core/metrics.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { NOON, policy, proposal } from '../test/support/transfers.ts';
import { createFoundation, type Foundation } from './foundation.ts';

const db = useDynamoDb();
const NOWHERE = 'http://127.0.0.1:1';
let clock = NOON;
const measured: Measured[] = [];
let base: Foundation;

beforeAll(() => {
  const now = () => clock;
  base = createFoundation(
    {
      policy,
      secretsFrom: {},
      env: {
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL_SQS: NOWHERE,
        AWS_ENDPOINT_URL_S3: NOWHERE,
        AWS_ENDPOINT_URL_STS: NOWHERE,
        S3_FORCE_PATH_STYLE: true,
        READ_ONLY_ROLE_ARN: 'arn:aws:iam::000000000000:role/FileFerryReadOnlyRole',
        FILEFERRY_CONFIG: 'fileferry.config.yaml',
        TABLE_PREFIX: db.prefix,
        QUEUE_URL: `${NOWHERE}/000000000000/FileFerry-Transfers`,
        LEASE_SECONDS: 30,
        S3_SESSION_RENEW_SECONDS: 300,
        SERVICENOW_URL: NOWHERE,
        SERVICENOW_USER: 'fileferry',
        SERVICENOW_PASSWORD: 'local',
      },
    },
    {
      tables: { client: db.documents, tablePrefix: db.prefix, now },
      clients: {},
      log: pino({ level: 'silent' }),
      now,
      by: 'reconciler',
      metrics: {
        add: (one) => void measured.push(one),
        time: (_name, call) => call(),
        flush() {},
      },
    },
  );
});
afterAll(() => base.s3Access.close());

const count = async (changes: Parameters<typeof proposal>[0]) => {
  measured.length = 0;
  await base.learning.count(proposal(changes));
  return measured;
};

describe('what both services measure', () => {
  it('of a session that had lapsed when it was used', async () => {
    measured.length = 0;
    const holder = { userId: 'slack:T01FERRY:U01ANA', purpose: 'browse', subject: 'a turn' } as const;
    const { token } = await base.sessions.openSession(holder);
    clock += 10_000;
    await expect(base.sessions.useSession(token)).rejects.toMatchObject({ code: 'not_allowed' });
    expect(measured).toEqual([{ ssoSessionExpired: 1 }]);
  });

  it('of a completed transfer: success, bytes and throughput', async () => {
    const { totalBytes } = proposal().plan;
    expect(await count({ status: 'completed', startedAt: NOON, endedAt: NOON + 2_000 })).toEqual([
      { transferSuccess: 1, transferFailure: 0, bytesTransferred: totalBytes, throughput: totalBytes / 2 },
    ]);
  });

  it('of a failed one, with a zero that keeps the alarm supplied', async () => {
    expect(await count({ status: 'failed' })).toEqual([{ transferSuccess: 0, transferFailure: 1 }]);
  });

  it('nothing of one that was cancelled', async () => {
    expect(await count({ status: 'cancelled' })).toEqual([]);
  });
});
