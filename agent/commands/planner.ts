/** The planner without a model: fixed rules from a sentence to a reply. It proposes and looks; it cannot decide. */
import type { Focus } from '../../core/focus.ts';
import { mayUse } from '../../core/policy.ts';
import type { Planner, Reply, Turn } from '../planner.ts';
import type { PlannerDeps } from '../ports.ts';
import { answerAccess } from './access.ts';
import type { Command } from './command.ts';
import { act, answerHistory, answerStatus, answerTransfers } from './follow.ts';
import { answerBuckets, answerDestinations, answerInfo, answerList } from './look.ts';
import { isPlain, type Meaning, readFreely } from './meaning.ts';
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
  async function answer(
    command: Command,
    turn: Turn,
    signal: AbortSignal,
    note: (news: Focus) => void,
  ): Promise<Reply> {
    switch (command.kind) {
      case 'send':
        return planSend(deps, turn, command, signal, note);
      case 'predict':
        return planPredict(deps, turn, command, signal);
      case 'list':
        return answerList(deps, turn, command, signal, note);
      case 'info':
        return answerInfo(deps, turn, command, signal, note);
      case 'buckets':
        return answerBuckets(deps, turn, command.filter);
      case 'destinations':
        return answerDestinations(deps, turn);
      case 'status':
        return answerStatus(deps, turn, command);
      case 'transfers':
        return answerTransfers(deps, turn);
      case 'history':
        return answerHistory(deps, turn, command);
      case 'access':
        return answerAccess(deps, turn, command);
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

  /**
   * The fixed grammar first, because buttons speak it and it is exact; then free English. What neither can make more
   * of stays as the grammar read it, which asks for what is missing.
   */
  async function meaningOf(turn: Turn): Promise<Meaning> {
    const read = parseCommand(turn.text);
    const asRead: Meaning = { kind: 'command', command: read };
    if (isPlain(read, deps, turn)) return asRead;
    const focus = (await deps.focus?.recall(turn.person)) ?? {};
    const meaning = readFreely(deps, turn, focus) ?? asRead;
    const isLost = meaning.kind === 'command' && meaning.command.kind === 'unknown';
    // What only asks to see something does no harm when the grammar alone knows it.
    return isLost && !['send', 'predict', 'cancel', 'retry'].includes(read.kind) ? asRead : meaning;
  }

  return {
    name: 'commands',
    async plan(turn, signal) {
      signal.throwIfAborted();
      const use = mayUse(deps.policy, turn.person);
      if (!use.allowed) return refusal(use.reason);
      const meaning = await meaningOf(turn);
      if (meaning.kind === 'reply') return meaning.reply;
      let news: Focus = {};
      const reply = await answer(meaning.command, turn, signal, (more) => {
        news = { ...news, ...more };
      });
      const [only, ...others] = reply.kind === 'transfers' ? reply.transferIds : [];
      if (reply.kind === 'proposed') news = { ...news, transferId: reply.transferId };
      else if (only !== undefined && others.length === 0) news = { ...news, transferId: only };
      if (Object.keys(news).length > 0) await deps.focus?.keep(turn.person, news);
      return reply;
    },
  };
}
