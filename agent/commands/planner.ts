/** The planner without a model: fixed rules from a sentence to a reply. It proposes and looks; it cannot decide. */
import { mayUse } from '../../core/policy.ts';
import type { Planner, Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import type { Command } from './command.ts';
import { act, answerHistory, answerStatus, answerTransfers } from './follow.ts';
import { answerBuckets, answerDestinations, answerInfo, answerList } from './look.ts';
import { parseCommand } from './parse.ts';
import { refusal, said } from './replies.ts';
import { planPredict, planSend } from './send.ts';

function pointAtButton({ wanted, ids }: Extract<Command, { kind: 'decision' }>): Reply {
  const card = ids.length === 1 ? `the card of ${ids[0]}` : "the transfer's card";
  return refusal(
    `Words do not ${wanted} a transfer; nothing was changed.`,
    `Somebody who may decide, and did not ask for it, presses ${wanted === 'approve' ? 'Approve' : 'Reject'} on ${card}.`,
  );
}

export function createCommandsPlanner(deps: PlannerDeps): Planner {
  async function answer(command: Command, turn: Turn, signal: AbortSignal): Promise<Reply> {
    switch (command.kind) {
      case 'send':
        return planSend(deps, turn, command, signal);
      case 'predict':
        return planPredict(deps, turn, command, signal);
      case 'list':
        return answerList(deps, turn, command, signal);
      case 'info':
        return answerInfo(deps, turn, command, signal);
      case 'buckets':
        return answerBuckets(deps, turn, command.filter);
      case 'destinations':
        return answerDestinations(deps, turn);
      case 'status':
        return answerStatus(deps, turn, command);
      case 'transfers':
        return answerTransfers(deps, turn);
      case 'history':
        return answerHistory(deps, turn);
      case 'cancel':
      case 'retry':
        return act(deps, turn, command);
      case 'decision':
        return pointAtButton(command);
      case 'help':
        return { kind: 'help' };
      case 'greeting':
        return { kind: 'answer', text: 'Hello! Tell me which file should go where, or say "help".' };
      case 'unknown':
        return refusal(
          `I did not understand ${said(command.text)}.`,
          'Try "send s3://bucket/file.csv to destination", "my transfers" or "help".',
        );
    }
  }

  return {
    name: 'commands',
    async plan(turn, signal) {
      signal.throwIfAborted();
      const use = mayUse(deps.policy, turn.person);
      if (!use.allowed) return refusal(use.reason);
      return answer(parseCommand(turn.text), turn, signal);
    },
  };
}
