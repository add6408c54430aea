/** What a destination makes of file names: `{stem}_{date:YYYYMMDD}{ext}` and the like, filled in when a plan is made. */
import { posix } from 'node:path';

/** What a template may ask for, in words for whoever writes one. */
const PLACEHOLDERS = '{name}, {stem}, {ext}, {date}, {date:YYYYMMDD} or {transferId}';
const PLACEHOLDER = /\{([^{}]*)\}/g;
/** Parts of a date, each only once it is complete. */
const DATE_PARTS = /YYYY|MM|DD|HH|mm|ss/g;
const DATE_FORMAT = /^(YYYY|MM|DD|HH|mm|ss|[-_.T])+$/;
const DEFAULT_DATE = 'YYYYMMDD';

/** What is known of a file when its plan is made. */
export interface NamedFile {
  /** The name that it would have without a template. */
  readonly name: string;
  readonly transferId: string;
  /** When the plan is made, in epoch milliseconds. */
  readonly at: number;
}

/** In UTC, as everywhere: the same request has the same name wherever it is made. */
function dateAs(format: string, at: number): string {
  const [YYYY = '', MM = '', DD = '', HH = '', mm = '', ss = ''] = new Date(at).toISOString().split(/[-T:.]/);
  const parts: Readonly<Record<string, string>> = { YYYY, MM, DD, HH, mm, ss };
  return format.replace(DATE_PARTS, (part) => parts[part] ?? part);
}

/** What a placeholder stands for; undefined when there is no such one. */
function fillIn(placeholder: string, { name, transferId, at }: NamedFile): string | undefined {
  const { name: stem, ext } = posix.parse(name);
  if (placeholder.startsWith('date:')) {
    const format = placeholder.slice(5);
    return DATE_FORMAT.test(format) ? dateAs(format, at) : undefined;
  }
  switch (placeholder) {
    case 'name':
      return name;
    case 'stem':
      return stem;
    case 'ext':
      return ext;
    case 'date':
      return dateAs(DEFAULT_DATE, at);
    case 'transferId':
      return transferId;
    default:
      return undefined;
  }
}

/** Why a template cannot be used, or undefined when it can. */
export function templateFault(template: string): string | undefined {
  if (/[/\\\p{Cc}]/u.test(template)) return 'expected one file name, without slashes or control characters';
  const example: NamedFile = { name: 'a.b', transferId: 'TRF-0', at: 0 };
  for (const [whole, placeholder = ''] of template.matchAll(PLACEHOLDER)) {
    if (fillIn(placeholder, example) === undefined) return `there is no ${whole}; use ${PLACEHOLDERS}`;
  }
  if (/[{}]/.test(template.replace(PLACEHOLDER, ''))) return 'a brace is not closed';
  if (/^\.{0,2}$/.test(template)) return 'expected a file name';
  return undefined;
}

/** The path with its last name as the template has it; the folders stay. */
export function applyTemplate(
  template: string | undefined,
  targetPath: string,
  file: Omit<NamedFile, 'name'>,
): string {
  if (template === undefined) return targetPath;
  const name = posix.basename(targetPath);
  // By a function: a "$" in a name is not a pattern.
  const made = template.replace(PLACEHOLDER, (whole, placeholder: string) =>
    String(fillIn(placeholder, { ...file, name }) ?? whole),
  );
  return posix.join(posix.dirname(targetPath), made);
}
