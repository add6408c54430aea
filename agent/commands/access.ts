/** Answers what the asker may do: read a bucket or a file, send to a destination. Nothing about anybody else. */
import { mayRead, readableBuckets, readableSources, usableDestinations } from '../../core/policy.ts';
import type { Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Command } from './command.ts';
import { said } from './replies.ts';

export function answerAccess(
  deps: Pick<PlannerDeps, 'policy'>,
  turn: Turn,
  { bucket, keys = [], destination }: Extract<Command, { kind: 'access' }>,
): Reply {
  const { policy } = deps;
  const { person } = turn;
  const lines: string[] = [];
  if (bucket !== undefined && keys.length > 0) {
    for (const key of keys.slice(0, 10)) {
      const verdict = mayRead(policy, person, bucket, key);
      lines.push(verdict.allowed ? `You may read ${said(key)} in ${bucket}.` : verdict.reason);
    }
  } else if (bucket !== undefined) {
    const isReadable = readableBuckets(policy, person).includes(bucket);
    lines.push(isReadable ? `You may read from ${bucket}.` : `You may not read from ${said(bucket)}.`);
  }
  if (destination !== undefined) {
    const isUsable = usableDestinations(policy, person).includes(destination);
    lines.push(
      isUsable ? `You may ask for transfers to ${destination}.` : `You may not send to ${said(destination)}.`,
    );
  }
  if (lines.length === 0) {
    const sources = readableSources(policy, person);
    const names = usableDestinations(policy, person);
    lines.push(
      sources.length > 0 ? `You may read ${sources.join(', ')}.` : 'You may not read any bucket.',
      names.length > 0
        ? `You may ask for transfers to ${names.join(', ')}.`
        : 'You may not send to any destination.',
    );
  }
  return { kind: 'answer', text: lines.join('\n') };
}
