/** What a person wrote, as plain text of bounded length, whichever platform it came from. */
import { MAX_TEXT } from './chat-event.ts';

export interface IncomingText {
  readonly text: string;
  /** Whether there was more than {@link MAX_TEXT}. */
  readonly truncated: boolean;
}

/** Cuts what is too long, without leaving half of a surrogate pair. */
export function incomingText(text: string): IncomingText {
  if (text.length <= MAX_TEXT) return { text, truncated: false };
  const end = /[\ud800-\udbff]/.test(text[MAX_TEXT - 1] ?? '') ? MAX_TEXT - 1 : MAX_TEXT;
  return { text: text.slice(0, end), truncated: true };
}
