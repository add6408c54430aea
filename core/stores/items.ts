/** Between records and DynamoDB items: attribute names, time to live, and the errors of the service. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { FerryError } from '../errors.ts';

const DAY_SECONDS = 86_400;

/** Lifetimes of the tables' items, in seconds. */
export const LIFETIME = {
  session: 10,
  userContext: 30 * DAY_SECONDS,
  transfer: 90 * DAY_SECONDS,
  fileCache: DAY_SECONDS,
  turn: DAY_SECONDS,
  note: 90 * DAY_SECONDS,
} as const;

/** `transferId` → `transfer_id`; attribute names are snake_case, nested documents keep theirs. */
const toAttribute = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const fromAttribute = (name: string) =>
  name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());

export function toItem(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [toAttribute(name), value]));
}

export function fromItem(item: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [fromAttribute(name), value]));
}

/** Epoch seconds for the TTL attribute. */
export const expiresAt = (nowMs: number, lifetimeSeconds: number) =>
  Math.floor(nowMs / 1000) + lifetimeSeconds;

/**
 * Whether an item still counts: DynamoDB deletes late, so every read compares with the clock.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function isAlive(item: Readonly<Record<string, unknown>> | undefined, nowMs: number): boolean {
  return item !== undefined && (typeof item.expires_at !== 'number' || item.expires_at * 1000 > nowMs);
}

/** True when a conditional write lost; anything else that DynamoDB throws is translated and thrown. */
export function lostCondition(error: unknown): true {
  if (error instanceof ConditionalCheckFailedException) return true;
  throw storeFault(error);
}

export function storeFault(error: unknown): FerryError {
  return new FerryError('unavailable', {
    retryable: true,
    userMessage:
      'FileFerry cannot reach its database right now. Nothing is lost; if nothing happens here within a minute, please try again.',
    cause: error,
  });
}
