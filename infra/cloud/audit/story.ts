/** One transfer's story from the audit bucket, held against its own hashes and against the record while that is there. */
import { createHash } from 'node:crypto';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { NOT_LISTED } from '../../../core/audit.ts';
import { type AuditEvent, type AuditLine, auditLineSchema, chainFaults } from '../../../core/audit-event.ts';
import { shownText } from '../../../core/shown-text.ts';
import type { Transfer } from '../../../core/transfer.ts';

export interface Story {
  readonly transferId: string;
  readonly events: readonly (AuditEvent & { readonly from: 'bucket' | 'record' })[];
  /** `gone`: its 90 days are over, or it never was. */
  readonly record: 'agrees' | 'differs' | 'not audited' | 'gone';
  /** One sentence each; empty when every link holds. */
  readonly faults: readonly string[];
}

const WRITERS = ['bot', 'worker'] as const;

async function objectsOf(s3: S3Client, bucket: string, transferId: string): Promise<Map<string, string>> {
  const bodies = new Map<string, string>();
  for (const writer of WRITERS) {
    const pages = paginateListObjectsV2(
      { client: s3 },
      { Bucket: bucket, Prefix: `${writer}/${transferId}/` },
    );
    for await (const { Contents = [] } of pages) {
      for (const { Key } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        bodies.set(Key ?? '', (await Body?.transformToString()) ?? '');
      }
    }
  }
  return bodies;
}

function parseLine(line: string): AuditLine | undefined {
  try {
    return auditLineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function recordFaults(record: Transfer, inBucket: readonly AuditEvent[]): string[] {
  const { audit, history } = record;
  if (!audit) return inBucket.length > 0 ? ['the record has lost its chain'] : [];
  const all = [...inBucket, ...audit.pending.filter(({ seq }) => seq > (inBucket.at(-1)?.seq ?? 0))];
  const last = all.at(-1);
  const told = all.filter(({ kind }) => kind === 'state' || kind === 'note');
  const differs = history.findIndex(
    ({ at, by, text }, index) =>
      told[index]?.at !== at || told[index]?.by !== by || told[index]?.text !== text,
  );
  return [
    ...(last?.seq === audit.seq && last.hash === audit.hash
      ? []
      : [`the record's chain ends with event ${audit.seq}, and the bucket's with ${last?.seq ?? 'none'}`]),
    ...(differs < 0 ? [] : [`entry ${differs + 1} of the record's history is not what the events tell`]),
  ];
}

function listFaults(events: readonly AuditEvent[], bodies: ReadonlyMap<string, string>): string[] {
  return events.flatMap(({ kind, facts }) => {
    if (kind !== 'files' || facts?.digest === NOT_LISTED) return [];
    const name = String(facts?.name);
    const body = bodies.get(name);
    if (body === undefined) return [`the list of files ${name} is missing`];
    const isSame = createHash('sha256').update(body).digest('hex') === facts?.digest;
    return isSame ? [] : [`the list of files ${name} was changed`];
  });
}

/** @param record undefined when there is none any more */
export async function readStory(deps: {
  s3: S3Client;
  bucket: string;
  transferId: string;
  record: Transfer | undefined;
}): Promise<Story> {
  const { transferId, record } = deps;
  const bodies = await objectsOf(deps.s3, deps.bucket, transferId);
  const faults: string[] = [];
  const bySeq = new Map<number, AuditLine>();
  for (const [name, body] of bodies) {
    if (name.includes('/files-')) continue;
    for (const line of body.split('\n').filter((text) => text !== '')) {
      const event = parseLine(line);
      const known = event && bySeq.get(event.seq);
      if (event?.transferId !== transferId)
        faults.push(`${name} holds a line that is no event of this transfer`);
      else if (known && known.hash !== event.hash) faults.push(`event ${event.seq} is there in two versions`);
      else bySeq.set(event.seq, event);
    }
  }
  const inBucket = [...bySeq.values()]
    .sort((a, b) => a.seq - b.seq)
    .map(({ transferId: _id, ...event }) => event);
  const pending = (record?.audit?.pending ?? []).filter(({ seq }) => !bySeq.has(seq));
  const events = [
    ...inBucket.map((event) => ({ ...event, from: 'bucket' as const })),
    ...pending.map((event) => ({ ...event, from: 'record' as const })),
  ];
  const disagreements = record ? recordFaults(record, inBucket) : [];
  faults.push(...chainFaults(transferId, events), ...listFaults(events, bodies), ...disagreements);
  const agreement = disagreements.length > 0 ? 'differs' : record?.audit ? 'agrees' : 'not audited';
  return { transferId, events, record: record ? agreement : 'gone', faults };
}

const RECORD: Readonly<Record<Story['record'], string>> = {
  agrees: 'The record agrees.',
  differs: 'The record does not agree.',
  'not audited': 'The record is not audited: AUDIT_BUCKET was not set when it was written.',
  gone: 'The record is gone: the bucket alone cannot show whether its last events were removed.',
};

/** The story for a terminal; names and file names in it are other people's words. */
export function renderStory({ transferId, events, record, faults }: Story): string {
  const lines = events.map(({ seq, at, kind, by, text, from }) =>
    [
      `#${seq}`.padEnd(4),
      new Date(at).toISOString(),
      kind.padEnd(8),
      shownText(text),
      `(${shownText(by)})`,
      ...(from === 'record' ? ['[not in the bucket yet]'] : []),
    ].join('  '),
  );
  if (events.length === 0) {
    return `There is no story of ${transferId}: no event in the bucket, and none on its record.`;
  }
  const hashes = [...new Set(events.map(({ planHash }) => planHash))];
  return [
    `${transferId}   plan ${hashes.join(', ') || 'unknown'}`,
    ...lines,
    '',
    RECORD[record],
    ...(faults.length > 0 ? faults.map((fault) => `✗ ${fault}`) : ['✓ every link of the hash chain holds']),
  ].join('\n');
}
