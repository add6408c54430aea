/** Cuts a sentence into words, keeping what is quoted or linked whole. */

export interface Token {
  readonly text: string;
  /** It stood in quotes, backticks or angle brackets: punctuation and key words in it mean nothing. */
  readonly quoted: boolean;
  /** A comma or semicolon followed. */
  readonly comma: boolean;
  /** Where it stands in the sentence, quotes aside: `[from, to)` in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

/** Opening quotes and what closes them; phones and word processors turn straight ones into these. */
const QUOTES: Readonly<Record<string, string>> = {
  '"': '"”“',
  "'": "'’‘",
  '`': '`',
  '“': '”“"',
  '”': '”"',
  '„': '“”',
  '«': '»',
  '‘': "’‘'",
  '’': "’'",
};

const SPACE = /\s/u;

/** What Slack and others wrap in angle brackets: `<url|label>`, `<@U…>`, `<#C…|name>`, `<!here>`. */
const BRACKETED = /<([^<>|\r\n]{1,3000})(?:\|([^<>\r\n]{0,1000}))?>/y;

/** The link's text, or undefined for mentions, which say nothing here. A bare name that was made a link is the name again. */
function linkText(target: string, label: string | undefined): string | undefined {
  if (/^[@#!]/.test(target)) return undefined;
  const bare = target.replace(/^(https?:\/\/|mailto:)/i, '');
  return label !== undefined && (label === bare || `${label}/` === bare) ? label : target;
}

/** Where the quote that opens at `at` closes, if it does. */
function closingQuote(text: string, at: number): number | undefined {
  const closers = QUOTES[text[at] ?? ''] ?? '';
  for (let end = at + 1; end < text.length; end++) {
    if (!closers.includes(text[end] ?? '')) continue;
    const after = text[end + 1];
    // An apostrophe between letters (`Ana's`) closes nothing.
    if (after === undefined || !/[\p{L}\p{N}]/u.test(after)) return end;
  }
  return undefined;
}

/** The word without the sentence's punctuation around it. */
function bare(word: string, isLast: boolean): { text: string; skipped: number; comma: boolean } {
  let text = word;
  let skipped = 0;
  let comma = false;
  while (text.startsWith('(') && !text.includes(')')) {
    text = text.slice(1);
    skipped++;
  }
  for (;;) {
    const last = text.at(-1) ?? '';
    if (last === ',' || last === ';') comma = true;
    else if (last === ')' && text.includes('(')) break;
    // A question mark behind a path may be a pattern; at the end of the text, or behind a word, it is a question.
    else if (last === '?' && !isLast && /[/.*]/.test(text)) break;
    else if (!').!?:…'.includes(last) || /^[.?]+$/.test(text)) break;
    text = text.slice(0, -1);
    if (text === '') break;
  }
  return { text, skipped, comma };
}

/** Cuts the text into tokens, in time linear in its length. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  // A quote that found no partner has none further on either, so it is not looked for again.
  const unpaired = new Set<string>();
  let at = 0;
  const follow = () => {
    const last = tokens.at(-1);
    if (last) tokens[tokens.length - 1] = { ...last, comma: true };
  };
  while (at < end) {
    const char = text[at] ?? '';
    if (SPACE.test(char)) {
      at++;
      continue;
    }
    if (char === ',' || char === ';') {
      follow();
      at++;
      continue;
    }
    BRACKETED.lastIndex = at;
    const link = char === '<' ? BRACKETED.exec(text) : null;
    if (link) {
      const inner = linkText(link[1] ?? '', link[2]);
      if (inner) tokens.push({ text: inner, quoted: true, comma: false, from: at, to: at + link[0].length });
      at += link[0].length;
      continue;
    }
    const close = char in QUOTES && !unpaired.has(char) ? closingQuote(text, at) : undefined;
    if (close !== undefined) {
      const inner = text.slice(at + 1, close);
      if (inner.trim()) tokens.push({ text: inner, quoted: true, comma: false, from: at + 1, to: close });
      at = close + 1;
      // Punctuation behind a closing quote belongs to the sentence.
      while (at < end && '.!?:)'.includes(text[at] ?? ' ')) at++;
      continue;
    }
    if (char in QUOTES) unpaired.add(char);
    let stop = at + 1;
    while (stop < end && !SPACE.test(text[stop] ?? '')) {
      // Two addresses with only a comma between them.
      if (text[stop] === ',' && /^s3:\/\//i.test(text.slice(stop + 1, stop + 6))) break;
      stop++;
    }
    const word = bare(text.slice(at, stop), stop === end);
    const from = at + word.skipped;
    if (word.text) {
      tokens.push({ text: word.text, quoted: false, comma: word.comma, from, to: from + word.text.length });
    } else if (word.comma) {
      follow();
    }
    at = stop;
  }
  return tokens;
}

/** The token as a key word: lower case, straight apostrophes; empty when it is quoted and so means nothing. */
export const word = (token: Token | undefined): string =>
  token && !token.quoted ? token.text.toLowerCase().replaceAll('’', "'") : '';

export const phrase = (tokens: readonly Token[]): string => tokens.map((token) => token.text).join(' ');

export function dropLeading(tokens: readonly Token[], words: readonly string[]): readonly Token[] {
  let from = 0;
  while (from < tokens.length && words.includes(word(tokens[from]))) from++;
  return tokens.slice(from);
}
