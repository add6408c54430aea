/** What buttons carry: ids and hashes only, never rights; whatever comes back is parsed as if a stranger wrote it. */
import { z } from 'zod';
import { TRANSFER_ID } from '../../core/ids.ts';
import type { Transfer } from '../../core/transfer.ts';

/** Longest value of a button in UTF-8 bytes; see `CardAction`. */
const MAX_VALUE_BYTES = 1_500;

const transferValueSchema = z
  .strictObject({ t: z.string().regex(TRANSFER_ID), h: z.string().min(1).max(64) })
  .transform(({ t, h }) => ({ transferId: t, planHash: h }));

/** Which transfer a button is about, and the hash of the plan that was shown beside it. */
export type TransferValue = z.infer<typeof transferValueSchema>;

const choiceValueSchema = z
  .strictObject({ for: z.string().min(1).max(300), text: z.string().min(1).max(MAX_VALUE_BYTES) })
  .transform((value) => ({ userId: value.for, text: value.text }));

/** Who was asked, and what pressing the button says in that person's name. */
export type ChoiceValue = z.infer<typeof choiceValueSchema>;

function decode<T>(schema: z.ZodType<T>, value: string): T | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(value);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(raw);
  return parsed.success ? parsed.data : undefined;
}

/** The value of `approve`, `reject`, `cancel`, `retry` and `status`. */
export function encodeTransferValue(transfer: Pick<Transfer, 'transferId' | 'planHash'>): string {
  return JSON.stringify({ t: transfer.transferId, h: transfer.planHash });
}

/** Undefined for a forged value, or one of a form that is no longer known. */
export function decodeTransferValue(value: string): TransferValue | undefined {
  return decode(transferValueSchema, value);
}

/** The value of `choose`, or undefined when the text is too long for a button. */
export function encodeChoiceValue(userId: string, text: string): string | undefined {
  const value = JSON.stringify({ for: userId, text });
  return Buffer.byteLength(value) <= MAX_VALUE_BYTES ? value : undefined;
}

/** Undefined for a forged value, or one of a form that is no longer known. */
export function decodeChoiceValue(value: string): ChoiceValue | undefined {
  return decode(choiceValueSchema, value);
}
