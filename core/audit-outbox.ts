/** Brings audit events from the records into the audit bucket; what cannot go now stays due and goes later. */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type AuditWriter, auditBehind, filesUnlisted } from './audit.ts';
import type { Audit } from './audit-event.ts';
import { canonicalJson } from './canonical-json.ts';
import type { AuditBucket } from './s3-audit.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { TransferStore } from './stores/transfer-store.ts';
import type { Transfer, TransferObject } from './transfer.ts';
import { isEnded } from './transfer-state.ts';

/** Events of a transfer that moves on by itself wait so long for the next, to share an object; milliseconds. */
const GATHER_MS = 15_000;

export interface AuditOutbox {
  /**
   * Writes the list of files of the attempt that ended, unless that is done or there is nothing to list. Never throws:
   * undefined when the bucket cannot be reached, and `bringIn` does it later.
   */
  listFiles(transfer: Transfer): Promise<Audit['files']>;
  /** Never throws: the record stays due, and the reconciler comes by. */
  bringIn(transferId: string): Promise<void>;
}

const sixDigits = (seq: number) => String(seq).padStart(6, '0');

/** One line for each file: what it was, where it went, and what was verified. */
function fileLine({ transferId, attempt }: Transfer, object: TransferObject): string {
  const { progress, ...planned } = object;
  const outcome =
    progress.state === 'uploading' || progress.state === 'renaming' ? { state: 'unfinished' } : progress;
  return `${canonicalJson({ transferId, attempt, ...planned, ...outcome })}\n`;
}

/** Events wait for company only while more are sure to come soon. */
function mayWait({ status, audit }: Transfer, now: number): boolean {
  const movesOn = !isEnded(status) && status !== 'pending_approval';
  return movesOn && (audit?.pending ?? []).every(({ at }) => now - at < GATHER_MS);
}

const asItIs = (current: Transfer) => ({ next: current, result: undefined });

/** @param deps.bucket absent while auditing is switched off: what is pending stays in the record, and nobody looks for it */
export function createAuditOutbox(deps: {
  store: Pick<TransferStore, 'get' | 'change'>;
  objects: Pick<ObjectStore, 'read'>;
  bucket: AuditBucket | undefined;
  writer: AuditWriter;
  now: () => number;
  log: Logger;
}): AuditOutbox {
  const { store, bucket, writer, now, log } = deps;
  const folderOf = (transferId: string) => `${writer}/${transferId}`;

  /** The list's name tells its content, so that a list that changed meanwhile never meets an older one. */
  async function writeList(to: AuditBucket, transfer: Transfer): Promise<NonNullable<Audit['files']>> {
    const lines: string[] = [];
    let arrived = 0;
    for await (const object of deps.objects.read(transfer)) {
      if (object.progress.state === 'done') arrived += 1;
      lines.push(fileLine(transfer, object));
    }
    const body = lines.join('');
    const digest = createHash('sha256').update(body).digest('hex');
    const { attempt, transferId } = transfer;
    const name = `${folderOf(transferId)}/files-${attempt}-${digest.slice(0, 16)}.jsonl`;
    await to.put(name, body);
    return { attempt, objects: lines.length, arrived, digest, name };
  }

  /** Two programs may write the same events at the same time: a reader takes each once. */
  async function writePending(to: AuditBucket, { transferId, audit }: Transfer): Promise<void> {
    const first = audit?.pending.at(0);
    const last = audit?.pending.at(-1);
    if (!audit || !first || !last) return;
    const body = audit.pending.map((event) => `${canonicalJson({ transferId, ...event })}\n`).join('');
    const range = `${sixDigits(first.seq)}-${sixDigits(last.seq)}-${last.hash.slice(0, 16)}`;
    await to.put(`${folderOf(transferId)}/${range}.jsonl`, body);
    await store.change(transferId, (current) =>
      current.audit
        ? {
            next: {
              ...current,
              audit: {
                ...current.audit,
                pending: current.audit.pending.filter(({ seq }) => seq > last.seq),
              },
            },
            result: undefined,
          }
        : { result: undefined },
    );
  }

  /** Writes the list and has the record tell so; gives the record as it is then. */
  async function putDown(to: AuditBucket, transfer: Transfer): Promise<Transfer> {
    const files = await writeList(to, transfer);
    const listed = await store.change(transfer.transferId, (current) =>
      filesUnlisted(current) && current.audit && current.attempt === files.attempt
        ? { next: { ...current, audit: { ...current.audit, files } }, result: undefined }
        : { result: undefined },
    );
    return listed.transfer;
  }

  async function bringIn(transferId: string): Promise<void> {
    let transfer = await store.get(transferId);
    if (!transfer || !auditBehind(transfer) || mayWait(transfer, now())) return;
    if (!bucket) {
      // Written as it is, it is due for the trail alone no more.
      if (isEnded(transfer.status)) await store.change(transferId, asItIs);
      return;
    }
    let isBehind = false;
    const fallBehind = (what: string) => (err: unknown) => {
      isBehind = true;
      log.warn({ transferId, err }, `${what} behind; the reconciler comes by again`);
    };
    if (filesUnlisted(transfer)) {
      await putDown(bucket, transfer).then((listed) => {
        transfer = listed;
      }, fallBehind('the list of files is'));
    }
    // Whether or not the files could be listed: the events are what everything else is checked by.
    await writePending(bucket, transfer).catch(fallBehind('audit events are'));
    // Written as it is, it is due later than those that were not tried yet.
    if (isBehind) await store.change(transferId, asItIs);
  }

  return {
    async listFiles(transfer) {
      if (!bucket || !filesUnlisted(transfer)) return undefined;
      try {
        return await writeList(bucket, transfer);
      } catch (err) {
        log.warn({ transferId: transfer.transferId, err }, 'the list of files is behind');
        return undefined;
      }
    },
    bringIn: (transferId) =>
      bringIn(transferId).catch((err: unknown) => {
        log.warn({ transferId, err }, 'the audit events of a record could not be looked at');
      }),
  };
}
