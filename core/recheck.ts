/** Whether the files of a transfer that are not delivered yet are still what its plan pinned. */
import type { Recheck } from './retry.ts';
import type { S3Browse } from './s3-browse.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { Transfer, TransferObject } from './transfer.ts';

/** Files that are asked about at a time. */
const BATCH = 100;

/** Asks S3 with the requester's rights, batch by batch, and stops at the first file that is another one now. */
export function createRecheck(deps: {
  objects: Pick<ObjectStore, 'read'>;
  browse: Pick<S3Browse, 'headObjects'>;
}): Recheck {
  async function changed(transfer: Transfer, batch: readonly TransferObject[]): Promise<boolean> {
    const asker = { person: transfer.requester, turnKey: `${transfer.transferId}/retry/${transfer.attempt}` };
    const keys = batch.map(({ key }) => key);
    const found = await deps.browse.headObjects(asker, transfer.plan.bucket, keys);
    return batch.some(({ etag, versionId }, index) => {
      const now = found[index];
      return (
        now?.kind !== 'object' ||
        now.etag !== etag ||
        (versionId !== undefined && now.versionId !== versionId)
      );
    });
  }

  return async (transfer) => {
    let batch: TransferObject[] = [];
    for await (const object of deps.objects.read(transfer)) {
      if (object.progress.state === 'done') continue;
      batch.push(object);
      if (batch.length < BATCH) continue;
      if (await changed(transfer, batch)) return 'changed';
      batch = [];
    }
    return batch.length > 0 && (await changed(transfer, batch)) ? 'changed' : 'same';
  };
}
