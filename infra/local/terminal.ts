/** How the local programs look in a terminal: Slack's messages as text, and a tidy log. */
import { styleText } from 'node:util';
import type { LogLine } from './services.ts';
import { PEOPLE } from './slack-workspace.ts';

const EMOJI: Readonly<Record<string, string>> = {
  ':white_check_mark:': '✅',
  ':x:': '❌',
  ':hourglass_flowing_sand:': '⏳',
  ':warning:': '⚠️',
  ':truck:': '🚚',
};

interface TextObject {
  readonly text?: string;
}
interface Block {
  readonly type: string;
  readonly text?: TextObject;
  readonly fields?: readonly TextObject[];
  readonly elements?: readonly (TextObject & {
    readonly type: string;
    readonly text?: string | TextObject;
  })[];
}

const nameOf = (id: string) => Object.values(PEOPLE).find((person) => person.id === id)?.realName ?? id;

function plain(mrkdwn: string): string {
  return mrkdwn
    .replaceAll(/<@([^>|]+)(?:\|[^>]*)?>/g, (_mention, id: string) => `@${nameOf(id)}`)
    .replaceAll(/`([^`]+)`/g, (_code, text: string) => styleText('yellow', text))
    .replaceAll(/\*([^*\n]+)\*/g, (_bold, text: string) => styleText('bold', text))
    .replaceAll(/<([^>|]+)\|([^>]*)>/g, '$2')
    .replaceAll(/:[a-z_]+:/g, (name) => EMOJI[name] ?? name)
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

const textOf = (text: string | TextObject | undefined): string =>
  plain(typeof text === 'string' ? text : (text?.text ?? ''));

/** The lines of a Slack message, buttons in brackets. */
export function messageLines(message: {
  readonly text?: string;
  readonly blocks?: readonly unknown[];
}): string[] {
  const blocks = (message.blocks ?? []) as readonly Block[];
  if (blocks.length === 0) return textOf(message.text).split('\n');
  return blocks.flatMap((block) => {
    switch (block.type) {
      case 'header':
        return [styleText('bold', textOf(block.text))];
      case 'actions':
        return [(block.elements ?? []).map((element) => `[ ${textOf(element.text)} ]`).join('  ')];
      case 'context':
        return (block.elements ?? [])
          .flatMap((element) => textOf(element.text).split('\n'))
          .map((line) => styleText('dim', line));
      default:
        return [
          ...(block.text ? textOf(block.text).split('\n') : []),
          ...(block.fields ?? []).map((field) => textOf(field).replace('\n', ' ')),
        ];
    }
  });
}

/** A message in a frame's left edge, under its author's name. */
export function bubble(author: string, lines: readonly string[]): string {
  const edge = styleText('cyan', '│');
  return [`${edge} ${styleText(['bold', 'cyan'], author)}`, ...lines.map((line) => `${edge} ${line}`)].join(
    '\n',
  );
}

const LEVELS: Readonly<Record<string, string>> = {
  debug: styleText('dim', 'debug'),
  info: styleText('green', 'info '),
  warn: styleText('yellow', 'warn '),
  error: styleText('red', 'error'),
};

/** One line of a tidy log: when, which service, how bad, which transfer, what. */
export function tidyLog(line: LogLine): string {
  const time = line.time.slice(11, 23);
  const transfer = typeof line.transferId === 'string' ? ` ${styleText('magenta', line.transferId)}` : '';
  const step = typeof line.step === 'string' ? ` [${line.step}]` : '';
  const error = line.err as { message?: string } | undefined;
  const reason = error?.message ? styleText('dim', ` — ${error.message}`) : '';
  return `${styleText('dim', time)} ${line.service.padEnd(6)} ${LEVELS[line.level] ?? line.level}${transfer}${step} ${line.msg}${reason}`;
}
