/** Findings as a table for people. */
import { stripVTControlCharacters, styleText } from 'node:util';
import type { Finding, Status } from './finding.ts';

const MARK: Readonly<Record<Status, string>> = { ok: '✓', wrong: '✗', unknown: '–' };
const COLOUR = { ok: 'green', wrong: 'red', unknown: 'yellow' } as const;

/** What others said, on one line and without signs that a terminal obeys. */
const tame = (text: string) => stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ');

/** @param colour whether the marks are coloured */
export function renderTable(findings: readonly Finding[], colour: boolean): string {
  const width = (of: (finding: Finding) => string) =>
    Math.max(0, ...findings.map((finding) => of(finding).length));
  const [areas, things] = [width(({ area }) => area), width(({ what }) => what)];
  const mark = (status: Status) =>
    colour ? styleText(COLOUR[status], MARK[status], { validateStream: false }) : MARK[status];
  const lines = findings.flatMap(({ area, what, status, found, todo }) => {
    const line = `${mark(status)} ${area.padEnd(areas)}  ${what.padEnd(things)}  ${tame(found)}`;
    return todo ? [line, `${' '.repeat(areas + things + 6)}→ ${tame(todo)}`] : [line];
  });
  const count = (status: Status) => findings.filter((finding) => finding.status === status).length;
  return [
    ...lines,
    '',
    `${count('ok')} right, ${count('wrong')} wrong, ${count('unknown')} could not be looked at from here.`,
  ].join('\n');
}
