/** What would make a proposed transfer less likely to fail or to surprise, from its record alone. Pure. */
import type { Transfer } from './transfer.ts';

const LARGE = 50e9;
const MANY = 1_000;
/** Below this rate of success a transfer is called risky. */
const RISKY = 0.9;
/** High to low end of the duration beyond which nobody can plan with it. */
const VAGUE = 10;

/** One sentence each, most useful first; at most two, because a card is read in seconds. */
export function riskAdvice({ plan, forecast }: Pick<Transfer, 'plan' | 'forecast'>): string[] {
  const advice: string[] = [];
  const { destination, totalBytes, objectCount, existing } = plan;
  if (!forecast || forecast.samples + (forecast.elsewhere ?? 0) < 3) {
    advice.push(
      `Little is known of ${destination} for this size: sending one small file first would tell more.`,
    );
  } else if (forecast.successRate < RISKY) {
    advice.push(
      `Transfers like this often fail at ${destination}: ask its owner whether it is up and has room before approving.`,
    );
  }
  if (totalBytes > LARGE && objectCount > 1) {
    advice.push('Fewer files at a time would make a failure cost less.');
  } else if (objectCount > MANY) {
    advice.push('An archive of these files would be one upload instead of many.');
  }
  if (forecast && forecast.highSeconds / Math.max(1e-9, forecast.lowSeconds) > VAGUE) {
    advice.push('Its duration varies a lot: start it with time to spare.');
  }
  if (existing === 'refuse' && objectCount > 1) {
    advice.push(
      'A single name that is taken at the destination stops the transfer: a folder of its own avoids that.',
    );
  }
  return advice.slice(0, 2);
}
