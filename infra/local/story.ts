/** The demo's story: what Ana and Bob do, what they see, and what has to be true at the end. */
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import type { Transfer } from '../../core/transfer.ts';
import { STEP_NAMES } from '../../core/transfer.ts';
import { PEOPLE } from './slack-workspace.ts';
import type { Stack } from './stack.ts';
import type { Stage, StageMessage } from './stage.ts';
import { bubble } from './terminal.ts';

/** What is sent in the story. */
const SOURCE = { bucket: 'finance-exports', key: 'reports/2026/Q3/q3-report.pdf' } as const;
const DESTINATION = 'acme-ftp';
/** How long anything may take before the story counts as failed, in milliseconds. */
const PATIENCE_MS = 60_000;

export interface StoryResult {
  readonly status: string;
  readonly transferId: string;
  readonly bytes: number;
  readonly sha256Source: string;
  readonly sha256Target: string;
  readonly requester: string;
  readonly approver: string;
  readonly tickets: { readonly user: string; readonly audit: string };
  readonly steps: readonly { readonly name: string; readonly startedAt: string; readonly endedAt: string }[];
  readonly seconds: number;
}

/** Asks again and again until there is an answer. */
async function until<T>(what: string, look: () => Promise<T | undefined>, signal: AbortSignal): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(100, undefined, { signal });
  }
  throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function readBack(stack: Stack, path: string): Promise<Buffer> {
  const client = new Client(10_000);
  const parts: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      done();
    },
  });
  try {
    const { host, port, user, password } = stack.ftp;
    await client.access({ host, port, user, password });
    await client.downloadTo(sink, path);
    return Buffer.concat(parts);
  } finally {
    client.close();
  }
}

/**
 * Plays the story.
 *
 * @param stage the chat in which it plays
 * @param say prints a line or a message
 * @throws Error that says what was waited for in vain, or what does not hold
 */
export async function playStory(
  stack: Stack,
  stage: Stage,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<StoryResult> {
  const { ana } = PEOPLE;
  const began = Date.now();
  const seconds = () => (Date.now() - began) / 1000;
  const scene = (text: string) => say(`\n${seconds().toFixed(1).padStart(5)} s  ${text}`);
  const shown = new Map<string, readonly string[]>();
  /** A new message whole; of an edited one, the lines that changed. */
  const show = ({ id, lines }: StageMessage) => {
    const before = shown.get(id);
    shown.set(id, lines);
    if (!before) return say(`${bubble('FileFerry', lines)}\n`);
    const changed = lines.filter((line) => !before.includes(line));
    if (changed.length > 0) say(`${bubble('FileFerry (edited)', changed)}\n`);
  };

  scene(`Ana mentions FileFerry in ${stage.place}`);
  const request = `please send s3://${SOURCE.bucket}/${SOURCE.key} to ${DESTINATION}`;
  await stage.ask(request);
  say(bubble(ana.realName, [`@FileFerry ${request}`]));

  const card = await until(
    'the approval card',
    async () => (await stage.thread()).find(({ approve }) => approve !== undefined),
    signal,
  );
  scene('the proposal, with two tickets');
  show(card);
  const { t: transferId } = JSON.parse(card.approve ?? '') as { t: string };
  const incidents = await stack.serviceNow.incidents();
  for (const incident of incidents.filter(({ correlationId }) => correlationId.startsWith(transferId))) {
    say(`         ${incident.number}  ${incident.shortDescription}`);
  }

  scene('Bob presses Approve');
  await stage.approve(card);

  const record = async (): Promise<Transfer> => {
    const transfer = await stack.transfers.get(transferId);
    if (!transfer) throw new Error(`${transferId} is gone from the database`);
    return transfer;
  };
  scene('the worker streams, and edits one message');
  const ended = await until(
    'the end of the transfer',
    async () => {
      for (const message of await stage.thread()) show(message);
      const transfer = await record();
      const told = transfer.messages.some((message) => message.role === 'outcome');
      return told && ['completed', 'failed', 'cancelled'].includes(transfer.status) ? transfer : undefined;
    },
    signal,
  );
  for (const message of await stage.thread()) show(message);
  if (ended.status !== 'completed')
    throw new Error(`${transferId} ended as ${ended.status}: ${ended.failure?.message}`);

  scene('Ana asks in a direct message');
  const question = 'where is my transfer?';
  await stage.askPrivately(question);
  say(`${bubble(ana.realName, [question])}\n`);
  const answer = await until(
    'the answer in the direct message',
    async () => (await stage.answers()).find(({ content }) => content.includes(transferId)),
    signal,
  );
  show(answer);

  const settled = await until(
    'both tickets to be closed and every step to be done',
    async () => {
      const transfer = await record();
      const closed = transfer.tickets.user.closed && transfer.tickets.audit.closed;
      const done = STEP_NAMES.every((name) => transfer.steps[name].endedAt !== undefined);
      return closed && done ? transfer : undefined;
    },
    signal,
  );

  scene('the file is read back from the FTP server and compared');
  const path = settled.plan.preview[0]?.targetPath ?? '';
  const [source, target] = await Promise.all([
    stack.readObject(SOURCE.bucket, SOURCE.key),
    readBack(stack, path),
  ]);
  const result: StoryResult = {
    status: settled.status,
    transferId,
    bytes: target.length,
    sha256Source: sha256(source),
    sha256Target: sha256(target),
    requester: settled.requester.userId,
    approver: settled.decision?.by.userId ?? '',
    tickets: { user: settled.tickets.user.number ?? '', audit: settled.tickets.audit.number ?? '' },
    steps: STEP_NAMES.map((name) => {
      const { startedAt, endedAt } = settled.steps[name];
      if (startedAt === undefined || endedAt === undefined)
        throw new Error(`step "${name}" did not run to its end`);
      return { name, startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() };
    }),
    seconds: Math.round(seconds() * 10) / 10,
  };
  say(`         S3   ${result.sha256Source}\n         FTP  ${result.sha256Target}`);
  hold(result, source.length);
  return result;
}

/** What the demo promises; each broken promise is named. */
function hold(result: StoryResult, sourceBytes: number): void {
  const promises: readonly [boolean, string][] = [
    [result.sha256Source === result.sha256Target, 'the file on the FTP server is not the S3 object'],
    [result.bytes === sourceBytes, `${result.bytes} bytes arrived of ${sourceBytes}`],
    [result.requester !== result.approver && result.approver !== '', 'the requester approved'],
    [result.tickets.user !== '' && result.tickets.audit !== '', 'a ticket is missing'],
    [result.tickets.user !== result.tickets.audit, 'both tickets are the same'],
  ];
  const broken = promises.flatMap(([kept, otherwise]) => (kept ? [] : [otherwise]));
  if (broken.length > 0) throw new Error(broken.join('; '));
}
