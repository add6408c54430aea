/** Questions and refusals of the commands planner, and the buttons that complete a command. */
import { shownText } from '../../core/shown-text.ts';
import type { Choice, Reply } from '../planner.ts';

/** Longest text of a choice in UTF-8 bytes: it travels in a button's value, which platforms bound. */
const MAX_CHOICE_BYTES = 1_400;

const MAX_CHOICES = 6;

/** A part of the work that either has its outcome or already knows the reply. */
export type Step<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reply: Reply };

export const found = <T>(value: T): Step<T> => ({ ok: true, value });

/** @param text the whole command that pressing the button says */
export const choice = (label: string, text: string): Choice => ({ label: shownText(label, 70), text });

export function refusal(reason: string, advice?: string): Reply {
  return { kind: 'refusal', reason, ...(advice === undefined ? {} : { advice }) };
}

export function question(text: string, choices: readonly Choice[] = []): Reply {
  const fitting = choices.filter((one) => Buffer.byteLength(one.text) <= MAX_CHOICE_BYTES);
  return { kind: 'question', question: text, choices: fitting.slice(0, MAX_CHOICES) };
}

export const refuse = (reason: string, advice?: string): Step<never> => ({
  ok: false,
  reply: refusal(reason, advice),
});

export const ask = (text: string, choices: readonly Choice[] = []): Step<never> => ({
  ok: false,
  reply: question(text, choices),
});

/** What a person typed, for our own sentence. */
export const said = (text: string): string => `"${shownText(text, 120)}"`;
