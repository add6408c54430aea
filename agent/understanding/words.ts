/** Cuts a sentence into words, and recognises those that name something exactly: addresses, keys, ids, hosts, paths. */
import { isGlob } from '../../core/glob.ts';
import { type Named, resolveName } from '../../core/names.ts';
import { readAddress, sourceFrom } from '../commands/address.ts';
import type { Source } from '../commands/command.ts';
import { joinAddresses } from '../commands/join-addresses.ts';
import { type Token, tokenize } from '../commands/tokenize.ts';
import { idsIn } from '../commands/transfer-ids.ts';
import type { World } from './reading.ts';
import { respell } from './spelling.ts';

type TextKind = 'key' | 'glob' | 'prefix' | 'path' | 'quote' | 'person';

/** What a word, or several, stand for. `names` has one name, several when it is ambiguous, none when it is unknown. */
export type Entity =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'bucket'; readonly names: readonly string[]; readonly text: string }
  | { readonly kind: 'destination'; readonly names: readonly string[]; readonly path?: string }
  /** A host, mail address or person that nobody registered as a destination. */
  | { readonly kind: 'foreign'; readonly text: string }
  | { [Kind in TextKind]: { readonly kind: Kind; readonly text: string } }[TextKind]
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'time'; readonly text: string; readonly ahead: boolean }
  | { readonly kind: 'priority'; readonly priority: 'high' | 'low' | 'normal' };

export interface Word {
  /** As it was typed. */
  readonly raw: string;
  /** In lower case with slips undone; a mark such as `{key}` for an entity, the sign itself for punctuation. */
  readonly norm: string;
  readonly entity?: Entity;
}

const MAX_WORDS = 300;

const EXTENSIONS =
  /\.(?:csv|tsv|pdf|xlsx?|xlsm|docx?|pptx?|txt|json|jsonl|ndjson|xml|ya?ml|zip|gz|tgz|tar|bz2|7z|rar|zst|parquet|avro|orc|png|jpe?g|gif|svg|tiff?|webp|psd|ai|mp[34]|mov|avi|mkv|wav|log|bak|dat|db|sql|sqlite|dump|bin|iso|img|md|html?|css|js|ts|py|sh|ini|cfg|conf|eml|msg|ics|edi|x12|pgp|gpg|asc|sha256|md5|tmp|done|ok|ctl|xps|odt|ods|rtf|key|pem|numbers|pages|sig|dmg|exe|jar|war|deb|rpm)$/i;

const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,5})?(?:[:/].*)?$/i;
const NO_PATH =
  /^(?:and\/or|n\/a|w\/o?|either\/or|yes\/no|his\/her|s?he\/.*|s3\/s?ftp|am\/pm|\d{1,4}\/\d{1,2}(?:\/\d{1,4})?|24\/7|b\/c)$/i;

export const entityWord = (raw: string, entity: Entity): Word => ({ raw, norm: `{${entity.kind}}`, entity });
const sign = (raw: string): Word => ({ raw, norm: raw });

const exactly = (text: string, things: readonly Named[]): string | undefined => {
  const resolved = resolveName(text, things);
  const squash = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  if (resolved.kind !== 'found') return undefined;
  const thing = things.find(({ name }) => name === resolved.name);
  return thing && [thing.name, ...thing.aliases].some((name) => squash(name) === squash(text))
    ? resolved.name
    : undefined;
};

/** Chat programs' own writing undone: entities, emphasis, emoji names; and ids whose dash was lost. */
function cleaned(text: string): string {
  return (
    text
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&amp;/g, '&')
      .replace(/^\s*<@[^<>\s]{1,60}>/, ' ')
      // As other bots are spoken to: `/help`, `!status`.
      .replace(
        /^\s*[/!](?=(?:help|status|history|list|ls|cancel|retry|transfers?|destinations?|buckets?)\b)/i,
        ' ',
      )
      .replace(/<@([^<>|\s]{1,60})(?:\|[^<>]{0,80})?>/g, ' @$1 ')
      .replace(/:\+1(?::skin-tone-\d)?:|:thumbsup:|:white_check_mark:|:heavy_check_mark:/g, ' 👍 ')
      .replace(/(^|\s):[a-z][a-z0-9_+-]{1,40}:(?=\s|$|[.,!?])/gi, '$1 ')
      .replace(/(^|[\s(])[*_~]{1,3}([\p{L}\p{N}][^*\n]{0,200}?)[*_~]{1,3}(?=$|[\s.,;:!?)])/gu, '$1$2')
      .replace(/```/g, ' ')
      // Somebody's words in quotes are read like any others: a quoted approval is none either.
      .replace(/["“”]([^"“”/]{0,300}(?:approv|TRF-)[^"“”/]{0,300})["“”]/gi, ' $1 ')
      .replace(/(^|\n)\s*(?:[-•*–]|\d{1,2}[.)])\s+/g, '$1 ')
      .replace(/(^|[^a-z0-9])trf[\s_#:.]{0,3}(?=[0-9a-z]*\d)([0-9a-z]{6,10})(?![0-9a-z])/gi, '$1TRF-$2')
      .replace(/\s(?:->|=>|→|➡️?|>>?)\s/g, ' to ')
  );
}

function localName(text: string, world: World): Entity | undefined {
  const split = /^([^/:\s]{1,200})(?::\/?|\/)(.+)$/s.exec(text);
  if (!split) return undefined;
  const [, head = '', tail = ''] = split;
  const path = text.slice(head.length).replace(/^:/, '');
  const destination = exactly(head, world.destinations);
  if (destination) return { kind: 'destination', names: [destination], ...(path === '/' ? {} : { path }) };
  const bucket = world.buckets.find(({ name }) => name === head.toLowerCase())?.name;
  if (bucket) {
    return { kind: 'source', source: { ...sourceFrom(tail.replace(/^\//, ''), { encoded: false }), bucket } };
  }
  return undefined;
}

function foreign(text: string, world: World): Entity | undefined {
  const url = /^(?:s?ftps?|ftpes|sftp|scp|ssh|rsync|https?|file|smb|webdav):\/\/([^/?#]*)(.*)$/i.exec(text);
  const host = (url?.[1] ?? text).replace(/^[^@]*@/, '').replace(/:\d+$/, '');
  if (url) {
    const destination = exactly(host, world.destinations);
    const path = url[2] ?? '';
    if (destination)
      return { kind: 'destination', names: [destination], ...(path === '' || path === '/' ? {} : { path }) };
    return { kind: 'foreign', text };
  }
  if (/^[^\s@/]+@[^\s@]+\.[^\s@]+$/.test(text)) return { kind: 'foreign', text };
  if (/^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:\/.*)?$/.test(text)) return { kind: 'foreign', text };
  if (HOST.test(text) && !EXTENSIONS.test(text)) return { kind: 'foreign', text };
  return undefined;
}

function entityOf(token: Token, world: World): Entity | undefined {
  const { text } = token;
  const address = readAddress(text, token.quoted);
  if (address) return { kind: 'source', source: address };
  const [id] = idsIn([token]);
  if (id) return { kind: 'id', id };
  const bareId = text.replace(/^#/, '').toUpperCase();
  const known = world.transfers.find((one) => one === `TRF-${bareId}`);
  if (known) return { kind: 'id', id: known };
  if (/^@\S+$/.test(text)) return { kind: 'person', text: text.slice(1) };
  const local = localName(text, world);
  if (local) return local;
  const destination = exactly(text, world.destinations);
  const bucket = exactly(text, world.buckets);
  if (destination && (token.quoted || /[-_]/.test(text)))
    return { kind: 'destination', names: [destination] };
  if (bucket && (token.quoted || /[-_]/.test(text))) return { kind: 'bucket', names: [bucket], text };
  const stranger = foreign(text, world);
  if (stranger) return stranger;
  if (/[*]|\[[^\]]+\]|\{[^{}]*,[^{}]*\}/.test(text) && isGlob(text) && /[\p{L}\p{N}*]/u.test(text)) {
    return /^(?:\*+|\[[^\]]*\])$/.test(text) ? undefined : { kind: 'glob', text };
  }
  if (/^\.{1,2}\/|^\/[^/\s]/.test(text) && !/^\/fileferry$/i.test(text)) return { kind: 'path', text };
  if (text.includes('/') && !NO_PATH.test(text) && !/\s/.test(text)) {
    if (text.endsWith('/')) return { kind: 'prefix', text };
    return { kind: 'key', text };
  }
  if (/^\.[a-z0-9]{2,8}$/i.test(text)) return undefined;
  if (EXTENSIONS.test(text) && text.length > 3) return { kind: 'key', text };
  if (/^[^\s.]*[\d_-][^\s]*\.[a-z][a-z0-9]{1,7}$/i.test(text)) return { kind: 'key', text };
  return token.quoted ? { kind: 'quote', text } : undefined;
}

/** Punctuation between two tokens, as words of their own; the tokens have lost it. */
function signs(between: string): Word[] {
  return [...between.replace(/\n+/g, '.')]
    .map((char) => (char === ';' || char === '(' || char === ')' ? ',' : char))
    .filter((char) => ',.!?:'.includes(char))
    .map(sign);
}

/** Addresses that hold spaces in one token each; a key that was whole before goes on only to another extension. */
function withAddresses(tokens: readonly Token[], text: string): Token[] {
  return joinAddresses(tokens, text, false).flatMap((joined) => {
    const parts = tokens.filter(({ from, to }) => from >= joined.from && to <= joined.to);
    const first = parts[0]?.text ?? '';
    const whole = first.endsWith('/') || EXTENSIONS.test(first) || isGlob(first);
    const runsOn = parts
      .slice(1)
      .some(({ text: one }) =>
        /^(?:except|excluding|but|without|and|or|not|minus|apart|other|to)$/i.test(one),
      );
    if (whole && runsOn) return parts;
    return parts.length > 1 && !EXTENSIONS.test(joined.text) && (whole || !joined.text.endsWith('/'))
      ? parts
      : [joined];
  });
}

export function wordsOf(said: string, world: World): Word[] {
  const text = cleaned(said);
  const words: Word[] = [];
  let end = 0;
  for (const token of withAddresses(tokenize(text).slice(0, MAX_WORDS), text)) {
    const gap = text.slice(end, token.from);
    words.push(...signs(gap));
    end = token.to;
    const several = token.quoted ? [] : idsIn([token]);
    if (several.length > 1) {
      for (const id of several) words.push(entityWord(id, { kind: 'id', id }));
      continue;
    }
    const entity = entityOf(token, world);
    if (entity) words.push(entityWord(token.text, entity));
    else if (/^[-–—|~]+$/.test(token.text)) words.push(sign(','));
    else if (token.text === '&' || token.text === '+') words.push({ raw: token.text, norm: 'and' });
    else {
      // Emoji stick to words.
      for (const part of token.text.split(/(\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]*)/u)) {
        if (part.trim() === '' || part === '\uFE0F') continue;
        words.push({ raw: part, norm: respell(part) });
      }
    }
  }
  words.push(...signs(text.slice(end)));
  return words;
}
