/** What a person wrote in Slack, as plain text. */
import { type IncomingText, incomingText } from '../incoming-text.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
/** Each entity once: `&amp;lt;` is what somebody sees who typed `&lt;`. */
const decode = (text: string): string => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity] ?? '');

/** One `<…>` of Slack's mark-up. @see https://docs.slack.dev/messaging/formatting-message-text */
function resolve(inside: string): string {
  const bar = inside.indexOf('|');
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? undefined : inside.slice(bar + 1) || undefined;
  if (target.startsWith('@') || target.startsWith('#')) return target[0] + (label ?? target.slice(1));
  if (target.startsWith('!date^')) return label ?? '';
  if (target.startsWith('!')) return label ?? `@${target.slice(1).replace(/^subteam\^/, '')}`;
  const scheme = /^(mailto|tel):/.exec(target);
  if (scheme) return label ?? target.slice(scheme[0].length);
  // Slack makes links of names that end like a domain: `notes.md` comes as `<http://notes.md|notes.md>`.
  if (label && target === `http://${label}`) return label;
  return target;
}

/**
 * Plain text of a message: the bot's mention removed, links and mentions resolved, entities decoded, no-break
 * spaces made plain.
 *
 * @param mrkdwn `text` of a message event or slash command
 */
export function readText(mrkdwn: string, botUserId: string): IncomingText {
  const mention = new RegExp(`[ \\u00a0]?<@${botUserId}(?:\\|[^<>]*)?>`, 'g');
  const text = mrkdwn
    .replace(mention, '')
    // A `<` before `@` that begins no mark-up could complete a mention with what follows.
    .replace(/<([^<>]*)>|[^<]+|<(?=[<@])/g, (part, inside?: string) =>
      part === '<' ? ' ' : decode(inside === undefined ? part : resolve(inside)),
    )
    .replaceAll('\u00a0', ' ')
    .trim();
  return incomingText(text);
}

/** Whether the text mentions the bot. */
export const mentions = (mrkdwn: string, botUserId: string): boolean =>
  mrkdwn.includes(`<@${botUserId}>`) || mrkdwn.includes(`<@${botUserId}|`);
