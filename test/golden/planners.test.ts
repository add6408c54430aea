/**
 * One conversation for each thing that people want, on both planners: what was said, what the tools gave the model,
 * and what the person was answered. `vitest run -u test/golden` writes them anew; read what changed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transferIdFor } from '../../core/ids.ts';
import type { ScriptedAnswer } from '../../infra/local/bedrock.ts';
import { type BrowsableS3, startBrowsableS3 } from '../support/browsing.ts';
import { useDynamoDb } from '../support/dynamodb.ts';
import { inTurn, type PlanningRig, resultsIn, startPlanning, turnOf } from '../support/planning.ts';

const BUCKET = 'finance-exports';
const TRANSFER = transferIdFor('golden earlier', 0);

const db = useDynamoDb();
let s3: BrowsableS3;
let rig: PlanningRig;

beforeAll(async () => {
  s3 = await startBrowsableS3();
  await s3.put(BUCKET, 'reports/Q3 report.pdf', 'q3');
  await s3.put(BUCKET, 'reports/summary.csv', 'abc');
  rig = await startPlanning(s3, db, inTurn());
  const earlier = turnOf('send reports/summary.csv in finance-exports to acme-ftp', {
    key: 'golden earlier',
  });
  await rig.commands.plan(earlier, new AbortController().signal);
}, 60_000);
afterAll(async () => {
  await rig.stop();
  await s3.stop();
});

const call = (name: string, input: unknown): ScriptedAnswer => ({ call: [{ name, input }] });
const summary = { bucket: BUCKET, keys: ['reports/summary.csv'] };

/** What is said, and what a sensible model does about it. */
const INTENTS: Readonly<Record<string, { text: string; model: readonly ScriptedAnswer[] }>> = {
  'list buckets': {
    text: 'list buckets',
    model: [call('list_s3_buckets', {}), { say: 'You may read finance-exports and others.' }],
  },
  'list objects': {
    text: `ls s3://${BUCKET}/reports/`,
    model: [
      call('list_bucket_contents', { bucket: BUCKET, prefix: 'reports/' }),
      { say: 'Q3 report.pdf and summary.csv.' },
    ],
  },
  'object info': {
    text: `info s3://${BUCKET}/reports/summary.csv`,
    model: [call('get_file_metadata', { bucket: BUCKET, key: 'reports/summary.csv' }), { say: '3 bytes.' }],
  },
  'check access': {
    text: 'why can I not read s3://hr-payroll/salaries.csv?',
    model: [
      call('validate_user_access', { bucket: 'hr-payroll', key: 'salaries.csv' }),
      { say: 'The policy does not let you read hr-payroll.' },
    ],
  },
  'list destinations': {
    text: 'destinations',
    model: [call('list_destinations', {}), { say: 'acme-ftp, globex-ftp and globex-staging.' }],
  },
  'request a transfer': {
    text: `send s3://${BUCKET}/reports/summary.csv to acme-ftp`,
    model: [
      call('analyze_transfer_request', { ...summary, destination: 'acme-ftp' }),
      call('execute_transfer', { ...summary, destination: 'acme-ftp' }),
    ],
  },
  'request something vague': {
    text: `send the q3 report in ${BUCKET} to acme-ftp`,
    model: [
      call('list_bucket_contents', { bucket: BUCKET, search: 'q3 report' }),
      call('execute_transfer', { bucket: BUCKET, keys: ['reports/Q3 report.pdf'], destination: 'acme-ftp' }),
    ],
  },
  predict: {
    text: `predict s3://${BUCKET}/reports/summary.csv to acme-ftp`,
    model: [
      call('predict_transfer_outcome', { ...summary, destination: 'acme-ftp' }),
      { say: 'About a minute, most likely.' },
    ],
  },
  status: {
    text: `status ${TRANSFER}`,
    model: [call('get_transfer_status', { transferId: TRANSFER, show: true })],
  },
  history: { text: 'history', model: [call('get_transfer_history', { show: true })] },
  cancel: { text: `cancel ${TRANSFER}`, model: [call('cancel_transfer', { transferId: TRANSFER })] },
  retry: { text: `retry ${TRANSFER}`, model: [call('retry_transfer', { transferId: TRANSFER })] },
  tickets: {
    text: `open the tickets of ${TRANSFER}`,
    model: [
      call('create_servicenow_tickets', { transferId: TRANSFER }),
      { say: 'They are not open yet; ServiceNow will have them soon.' },
    ],
  },
  'approve by words': {
    text: `approve ${TRANSFER}`,
    model: [{ say: 'I cannot approve; the button on its card can.' }],
  },
  help: { text: 'help', model: [{ say: 'I move files from S3 to FTP servers.' }] },
  'out of scope': { text: 'transfer 200 euros to my landlord', model: [{ say: 'I only move files.' }] },
  'set a preference': { text: 'my default destination is acme', model: [{ say: 'never asked' }] },
  'what is known': { text: 'what do you know about me?', model: [{ say: 'never asked' }] },
  'forget me': { text: 'forget me', model: [{ say: 'never asked' }] },
};

/** Times of this run are no part of a transcript. */
const steady = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d+Z)?/g, 'TIME');
const asJson = (value: unknown): unknown => JSON.parse(steady(JSON.stringify(value)));

describe('a golden transcript on both planners', () => {
  for (const [intent, { text, model }] of Object.entries(INTENTS)) {
    it(intent, async () => {
      const signal = new AbortController().signal;
      await rig.contexts.forget('slack:T01FERRY:U01ANA');
      rig.bedrock.script = inTurn(...model);
      rig.bedrock.requests.length = 0;
      const byModel = await rig.planner.plan(turnOf(text, { key: `golden ${intent} model` }), signal);
      const last = rig.bedrock.requests.at(-1);
      const byRules = await rig.planner.plan(
        turnOf(text, { key: `golden ${intent} rules`, command: true }),
        signal,
      );
      await expect(
        `${JSON.stringify(
          {
            said: text,
            model: {
              does: model,
              sees: (last ? resultsIn(last) : []).map((result) => asJson(JSON.parse(result))),
              reply: asJson(byModel),
            },
            rules: { reply: asJson(byRules) },
          },
          null,
          2,
        )}\n`,
      ).toMatchFileSnapshot(`./${intent.replaceAll(' ', '-')}.transcript`);
    });
  }
});
