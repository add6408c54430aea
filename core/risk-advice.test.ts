import { describe, expect, it } from 'vitest';
import { plannedObject, proposal } from '../test/support/transfers.ts';
import { riskAdvice } from './risk-advice.ts';

const good = { seconds: 40, lowSeconds: 20, highSeconds: 60, successRate: 0.98, samples: 52, elsewhere: 0 };

describe('advice on a proposal', () => {
  it('is none for a usual one', () => {
    expect(riskAdvice(proposal({ forecast: good }))).toEqual([]);
  });

  it('is a trial where little is known, and a question where much failed', () => {
    expect(riskAdvice(proposal())[0]).toContain('one small file first');
    expect(riskAdvice(proposal({ forecast: { ...good, successRate: 0.6 } }))[0]).toContain('ask its owner');
  });

  it('names at most two things', () => {
    const objects = [plannedObject(0, { size: 4e10 }), plannedObject(1, { size: 4e10 })];
    const advice = riskAdvice(
      proposal({ forecast: { ...good, successRate: 0.5, highSeconds: 900 } }, objects),
    );
    expect(advice).toHaveLength(2);
    expect(advice[1]).toContain('Fewer files');
  });
});
