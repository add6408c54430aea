/** What a stored transfer touches, complete: no question to the policy is asked about a part of its keys. */
import { type RequestScope, scopeOf } from './policy.ts';
import type { ObjectStore } from './stores/object-store.ts';
import type { Transfer } from './transfer.ts';

/**
 * The scope over every key of the plan. Up to five keys stand in the record; more are read from their pages,
 * which the plan's digest pins.
 *
 * @throws FerryError `not_found` when the list of objects is gone, `unavailable`
 */
export async function loadScope(
  objects: Pick<ObjectStore, 'read'>,
  transfer: Pick<Transfer, 'transferId' | 'plan'>,
): Promise<RequestScope> {
  const { plan } = transfer;
  const keys: string[] = [];
  if (plan.preview.length === plan.objectCount) keys.push(...plan.preview.map((object) => object.key));
  else for await (const object of objects.read(transfer)) keys.push(object.key);
  return scopeOf(transfer, keys);
}
