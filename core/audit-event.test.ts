import { describe, expect, it } from 'vitest';
import { NOON, proposal } from '../test/support/transfers.ts';
import { withAudit } from './audit.ts';
import { type AuditEvent, chainFaults } from './audit-event.ts';
import { note } from './transfer-state.ts';

const write = { at: NOON, by: 'worker' } as const;
const entry = (text: string) => ({ at: NOON, by: 'worker', text });

function story(): { id: string; events: AuditEvent[] } {
  let transfer = withAudit(undefined, proposal(), write);
  for (const text of ['one', 'two', 'three']) {
    transfer = withAudit(transfer, note(transfer, entry(text)), write);
  }
  return { id: transfer.transferId, events: transfer.audit?.pending ?? [] };
}

describe('the hash chain', () => {
  it('holds over what was written', () => {
    const { id, events } = story();
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(chainFaults(id, events)).toEqual([]);
  });

  it('shows a changed event, whatever was changed', () => {
    const { id, events } = story();
    for (const change of [{ text: 'nothing' }, { by: 'bot' }, { at: NOON + 1 }, { planHash: 'other' }]) {
      const changed = events.map((event) => (event.seq === 2 ? { ...event, ...change } : event));
      expect(chainFaults(id, changed)).toEqual([
        'event 2 does not follow from event 1: one of them was changed',
      ]);
    }
  });

  it('shows an event that was taken out, at the beginning too', () => {
    const { id, events } = story();
    const without = (...gone: number[]) => events.filter(({ seq }) => !gone.includes(seq));
    expect(chainFaults(id, without(2))).toEqual(['event 2 is missing']);
    expect(chainFaults(id, without(1, 2))).toEqual(['events 1 to 2 are missing']);
  });

  it('shows the events of another transfer', () => {
    const { events } = story();
    expect(chainFaults('TRF-0000000000', events)).not.toEqual([]);
  });
});
