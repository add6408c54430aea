/** A command as a sentence again, for buttons that complete what a person began: reading it gives the same command. */
import { isGlob } from '../../core/glob.ts';
import type { Command, Request, Source } from './command.ts';

/** Characters that neither end a word nor mean anything to the reader. */
const PLAIN = /^[\p{L}\p{N}_./=+@~-]*[\p{L}\p{N}_/=@~-]$/u;

function quoted(text: string): string {
  if (!text.includes('"') && !/[“”]/.test(text)) return `"${text}"`;
  return text.includes('`') ? `“${text}”` : `\`${text}\``;
}

/** A name as a word; in quotes where it might be read as one of ours, such as `now`. */
const word = (text: string): string => (PLAIN.test(text) && /[-_\d]/.test(text) ? text : quoted(text));

/** Everything but what an address may show as it is, percent-encoded; `encodeURIComponent` leaves out `*` and others. */
const encoded = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\p{L}\p{N}_./=+@~-]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    )
    // A full stop at the end is the sentence's.
    .replace(/\.$/, '%2E');

const described = ({ words, pick }: Extract<Source, { kind: 'words' }>): string =>
  [pick === undefined ? [] : [`the ${pick}`], words === '' ? ['file'] : [words]].flat().join(' ');

function address(bucket: string, source: Source): string {
  const start = `s3://${bucket}/`;
  switch (source.kind) {
    case 'key':
      if (PLAIN.test(source.key)) return start + source.key;
      // In quotes a wildcard would be one, and a quote would end them.
      return isGlob(source.key) || /["“”'’`%]|\s$/.test(source.key)
        ? start + encoded(source.key)
        : quoted(start + source.key);
    case 'prefix':
      return PLAIN.test(source.prefix) || source.prefix === ''
        ? start + source.prefix
        : start + encoded(source.prefix);
    case 'glob':
      return quoted(start + source.pattern);
    case 'words':
      return described(source);
  }
}

/** A source with whatever is known of its bucket. */
function sourceText(source: Source, bucket: string | undefined): string {
  const known = source.bucket ?? bucket;
  if (known !== undefined && source.kind !== 'words') return address(known, source);
  switch (source.kind) {
    case 'key':
      return isGlob(source.key) || /["“”'’`%]/.test(source.key) ? encoded(source.key) : quoted(source.key);
    case 'prefix':
      return source.prefix === '' ? 'everything' : quoted(source.prefix);
    case 'glob':
      return quoted(source.pattern);
    case 'words':
      return described(source);
  }
}

function requestText(request: Request): string {
  const parts = [request.sources.map((source) => sourceText(source, request.bucket)).join(', ')];
  const words = request.sources.find((source) => source.kind === 'words');
  const bucket = words?.bucket ?? request.bucket;
  if (words && bucket !== undefined) parts.push(`in ${word(bucket)}`);
  if (request.destination !== undefined) parts.push(`to ${word(request.destination)}`);
  if (request.as) parts.push(`${request.as.folder ? 'under' : 'as'} ${quoted(request.as.path)}`);
  if (request.priority === 'high') parts.push('priority high');
  return parts.filter((part) => part !== '').join(' ');
}

/** The sentence for a command that can be completed by a button. */
export function formatCommand(
  command: Extract<Command, { kind: 'send' | 'predict' | 'info' | 'list' | 'cancel' | 'retry' }>,
): string {
  switch (command.kind) {
    case 'send':
      return `send ${requestText(command)}`;
    case 'predict':
      return `predict ${command.bytes === undefined ? '' : `${command.bytes} B `}${requestText(command)}`;
    case 'info':
      return `info ${requestText({ priority: 'normal', ...command })}`;
    case 'list':
      if (!command.source && command.bucket !== undefined) return `ls ${word(command.bucket)}`;
      return `ls ${requestText({ priority: 'normal', ...command, sources: command.source ? [command.source] : [] })}`;
    case 'cancel':
    case 'retry':
      return `${command.kind} ${command.ids.join(' ')}`;
  }
}
