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
import type { Memory } from './memory.ts';
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
    memory: () => Promise<Memory>,
  ): Promise<Reply> {
    const listener = async () => ({ note, timeZone: (await memory()).preferences.timeZone });
    switch (command.kind) {
      case 'send':
        return planSend(deps, turn, command, signal, note);
      case 'predict':
        return planPredict(deps, turn, command, signal, note);
      case 'list':
        return answerList(deps, turn, command, signal, await listener());
      case 'info':
        return answerInfo(deps, turn, command, signal, await listener());
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

  /** What was spoken of in this thread; of a transfer also what it is, so that it can be pointed back to. */
  async function recall(turn: Turn): Promise<Memory> {
    const { focus, preferences } = (await deps.focus?.recall(turn)) ?? { focus: {}, preferences: {} };
    const { transferId } = focus;
    const transfer =
      transferId === undefined ? undefined : await deps.transfers.transferFor(turn.person, transferId);
    return { focus, preferences, ...(transfer ? { transfer } : {}) };
  }

  /**
   * The fixed grammar first, because buttons speak it and it is exact; then free English. What neither can make more
   * of stays as the grammar read it, which asks for what is missing.
   */
  async function meaningOf(turn: Turn, memory: () => Promise<Memory>): Promise<Meaning> {
    const read = parseCommand(turn.text);
    const asRead: Meaning = { kind: 'command', command: read };
    if (isPlain(read, deps, turn)) return asRead;
    const meaning = readFreely(deps, turn, await memory()) ?? asRead;
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
      let recalled: Promise<Memory> | undefined;
      const memory = () => {
        recalled ??= recall(turn);
        return recalled;
      };
      const meaning = await meaningOf(turn, memory);
      let news: Focus = {};
      const note = (more: Focus) => {
        news = { ...news, ...more };
      };
      const reply =
        meaning.kind === 'reply' ? meaning.reply : await answer(meaning.command, turn, signal, note, memory);
      if (reply.kind === 'question' && !news.question && meaning.open) note({ question: meaning.open });
      const [only, ...others] = reply.kind === 'transfers' ? reply.transferIds : [];
      if (reply.kind === 'proposed') news = { ...news, transferId: reply.transferId };
      else if (only !== undefined && others.length === 0) news = { ...news, transferId: only };
      if (Object.keys(news).length > 0) await deps.focus?.keep(turn, news);
      return reply;
    },
  };
}
