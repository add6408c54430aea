/** What a person wrote in Teams, as plain text. */
import { type IncomingText, incomingText } from '../incoming-text.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
};
/** Each entity once: `&amp;lt;` is what somebody sees who typed `&lt;`. */
const decode = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? '');

/** A mention among an activity's entities. */
export interface Mention {
  readonly mentionedId: string;
  /** As it stands in the text, such as `<at>FileFerry</at>`; absent in some clients' activities. */
  readonly text?: string | undefined;
}

/**
 * Plain text of a message: the bot's mention removed, others resolved to names, tags taken away, entities decoded.
 *
 * @param raw `text` of a message activity, which is plain or simple HTML whatever `textFormat` says
 */
export function readText(raw: string, mentions: readonly Mention[], botId: string): IncomingText {
  let rest = raw;
  for (const { mentionedId, text } of mentions) {
    if (mentionedId === botId && text) rest = rest.replaceAll(text, ' ');
  }
  // Without the mention's own text, the first tag is the bot's: only then does Teams deliver such a message.
  if (mentions.some(({ mentionedId, text }) => mentionedId === botId && !text))
    rest = rest.replace(/<at\b[^>]*>.*?<\/at>/s, ' ');
  const text = decode(
    rest
      .replace(/<at\b[^>]*>(.*?)<\/at>/gs, '@$1')
      .replace(/<(?:br|\/p|\/div|\/li)\b[^>]*>/gi, '\n')
      .replace(/<\/?[a-z][^<>]*>/gi, ''),
  )
    .replace(/[\u00a0\u200b]/g, ' ')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return incomingText(text);
}
