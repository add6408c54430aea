/** The first step: whether what was approved may still be done, and can be, before anything is touched. */
import PQueue from 'p-queue';
import { FerryError } from '../../core/errors.ts';
import { approvalHolds, destinationOf, keySample, mayRequest, scopeOf } from '../../core/policy.ts';
import type { Destination, PolicyConfig } from '../../core/policy-config.ts';
import { shownText } from '../../core/shown-text.ts';
import type { ObjectStore } from '../../core/stores/object-store.ts';
import { hashPlan, objectsDigest, type PlannedObject, type Transfer } from '../../core/transfer.ts';
import type { Source, SourceFacts, SourceGrant } from '../source.ts';
import { pathFault } from '../target-name.ts';
import { type RetryPolicy, withRetry } from '../with-retry.ts';

/** Objects that are checked at once. */
const CHECKS_AT_ONCE = 16;

const refused = (userMessage: string) => new FerryError('not_allowed', { userMessage });

/** The plan's destination as it is registered now. @throws FerryError `not_allowed` */
export function requireDestination(policy: PolicyConfig, transfer: Transfer): Destination {
  const destination = destinationOf(policy, transfer.plan.destination);
  if (destination) return destination;
  throw refused(`The destination ${transfer.plan.destination} is not registered any more. Nothing was sent.`);
}

/**
 * An approval carries the run that begins within its lifetime, to its end: a run that has streamed already is
 * not cut off.
 */
function requireApproval(policy: PolicyConfig, transfer: Transfer, now: number): void {
  const { startedAt = now, steps, decision, planHash } = transfer;
  const streamedAt = steps.stream.startedAt;
  const at = streamedAt !== undefined && streamedAt >= startedAt ? startedAt : now;
  if (planHash === hashPlan(transfer.plan) && approvalHolds(policy, decision, planHash, at)) return;
  throw refused(
    'The approval does not cover this transfer any more. Nothing was sent; please ask for it anew.',
  );
}

/**
 * @returns what the source said of each object that is not done, by index
 * @param deps.openSource asked for only when objects are to be checked; closed again
 * @throws FerryError that says why the transfer must not go on
 */
export async function validate(deps: {
  transfer: Transfer;
  policy: PolicyConfig;
  objects: Pick<ObjectStore, 'read'>;
  openSource: () => Promise<SourceGrant>;
  retry: RetryPolicy;
  signal: AbortSignal;
  now: number;
}): Promise<ReadonlyMap<number, SourceFacts>> {
  const { transfer, policy, signal } = deps;
  const { plan } = transfer;
  const destination = requireDestination(policy, transfer);
  requireApproval(policy, transfer, deps.now);

  const digest = objectsDigest();
  const sample = keySample(policy, plan.bucket);
  let open = 0;
  for await (const { progress, ...object } of deps.objects.read(transfer)) {
    digest.add(object);
    sample.add(object.key);
    if (progress.state !== 'done') open += 1;
    const fault = pathFault(object.targetPath, destination.folder);
    if (fault) {
      throw new FerryError('bad_input', {
        userMessage: `The target path ${shownText(object.targetPath)} ${fault}. Nothing was sent.`,
      });
    }
  }
  if (digest.hex() !== plan.objectsDigest) {
    throw refused(
      'The list of files is not the one that was approved. Nothing was sent; please ask for it anew.',
    );
  }
  const verdict = mayRequest(policy, transfer.requester, scopeOf(transfer, sample.keys(), sample.count()));
  if (!verdict.allowed) throw refused(`${verdict.reason} Nothing was sent.`);
  const facts = new Map<number, SourceFacts>();
  if (open === 0) return facts;

  const grant = await deps.openSource();
  await checkAll(grant.source).finally(() => grant.close());
  return facts;

  /**
   * The first that has changed or cannot be read stops the others. The pages are read once more, as far as they are
   * needed: ten thousand objects are never all in memory.
   */
  async function checkAll(source: Source): Promise<void> {
    const firstFailure = new AbortController();
    const either = AbortSignal.any([signal, firstFailure.signal]);
    const queue = new PQueue({ concurrency: CHECKS_AT_ONCE });
    const check = (object: PlannedObject) =>
      withRetry(deps.retry, either, async () => {
        const found = await source.check({ bucket: plan.bucket, object }, either);
        facts.set(object.index, found);
        if (found.size === object.size) return;
        throw new FerryError('source_changed', {
          userMessage: `${shownText(object.key)} has changed in S3 since it was proposed. Nothing was sent; please ask for it anew.`,
        });
      }).catch((error: unknown) => {
        firstFailure.abort(error);
        throw error;
      });
    for await (const { progress, ...object } of deps.objects.read(transfer)) {
      if (either.aborted) break;
      if (progress.state === 'done') continue;
      // A failure is told by `either`, which it has aborted.
      void queue.add(() => check(object)).catch(() => {});
      await queue.onSizeLessThan(CHECKS_AT_ONCE);
    }
    await queue.onIdle();
    either.throwIfAborted();
  }
}
