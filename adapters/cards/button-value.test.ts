/** What buttons carry survives the way there and back; what a stranger writes does not decode. */
import { describe, expect, test } from 'vitest';
import { ana, proposal } from '../../test/support/transfers.ts';
import {
  decodeChoiceValue,
  decodeTransferValue,
  encodeChoiceValue,
  encodeTransferValue,
} from './button-value.ts';

describe('a transfer button', () => {
  test('carries id and plan hash, nothing else', () => {
    const transfer = proposal();
    const value = encodeTransferValue(transfer);
    expect(JSON.parse(value)).toEqual({ t: transfer.transferId, h: transfer.planHash });
    expect(decodeTransferValue(value)).toEqual({
      transferId: transfer.transferId,
      planHash: transfer.planHash,
    });
  });

  test.each([
    ['no JSON', 'approve everything'],
    ['empty', ''],
    ['null', 'null'],
    ['a list', '["TRF-0123456789"]'],
    ['another id', '{"t":"TRF-../../etc","h":"00"}'],
    ['an id with a newline', '{"t":"TRF-0123456789\\n","h":"00"}'],
    ['no hash', '{"t":"TRF-0123456789"}'],
    ['a hash that is no text', '{"t":"TRF-0123456789","h":{"$ne":""}}'],
    ['a right smuggled in', '{"t":"TRF-0123456789","h":"00","approver":"slack:T01FERRY:U01ANA"}'],
    ['a choice', '{"for":"slack:T01FERRY:U01ANA","text":"help"}'],
  ])('that is forged decodes to nothing: %s', (_name, value) => {
    expect(decodeTransferValue(value)).toBeUndefined();
  });
});

describe('a choice', () => {
  test('carries who was asked and what it says', () => {
    const value = encodeChoiceValue(ana.userId, 'send "ä b.csv" to acme-ftp');
    expect(decodeChoiceValue(value ?? '')).toEqual({
      userId: ana.userId,
      text: 'send "ä b.csv" to acme-ftp',
    });
  });

  test('is limited in bytes, not characters', () => {
    expect(encodeChoiceValue(ana.userId, 'a'.repeat(1_400))).toBeDefined();
    expect(encodeChoiceValue(ana.userId, 'ä'.repeat(1_400))).toBeUndefined();
  });

  test.each(['{', '{"for":"","text":"help"}', '{"for":"x"}', '{"t":"TRF-0123456789","h":"00"}'])(
    'that is forged decodes to nothing: %s',
    (value) => {
      expect(decodeChoiceValue(value)).toBeUndefined();
    },
  );
});
