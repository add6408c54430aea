/** Recognises words that try to decide, so that they can be answered; they decide nothing. */
import type { Command } from './command.ts';
import { type Token, word } from './tokenize.ts';
import { idsIn } from './transfer-ids.ts';

const DECIDE = /^(re-?|pre-?|auto-?)?(approv(e|ed|al|als|es|ing)|authori[sz](e|ed|es)|sign-?off|greenlight)$/;
const REJECT = new Set([
  'reject',
  'rejected',
  'deny',
  'denied',
  'decline',
  'declined',
  'disapprove',
  'no',
  'nope',
]);

/** Words of which a consent is made; one of `CONSENT` has to be among them. */
const CONSENT = new Set([
  'yes',
  'yep',
  'yeah',
  'y',
  'ok',
  'okay',
  'sure',
  'go',
  'lgtm',
  'confirm',
  'confirmed',
  'proceed',
  'accept',
  'accepted',
  'agree',
  'agreed',
  'fine',
  '+1',
  '👍',
  '✅',
  ':+1:',
  'approve',
  'approved',
  'ship',
  'do',
  'release',
  'good',
]);
const AROUND_CONSENT = new Set([
  'i',
  'we',
  'it',
  'this',
  'that',
  'them',
  'all',
  'ahead',
  'looks',
  'to',
  'me',
  'by',
  'the',
  'transfer',
  'transfers',
  'request',
  'now',
  'please',
  'thanks',
  'and',
  'with',
  'is',
  "it's",
  'for',
  'from',
  'my',
  'side',
  'on',
]);

/** A sentence of nothing but consent: "yes", "ok go ahead", "I approve TRF-…". */
export function isConsent(tokens: readonly Token[]): boolean {
  const words = tokens.filter((token) => idsIn([token]).length === 0).map(word);
  return (
    words.some((said) => CONSENT.has(said)) &&
    words.every((said) => CONSENT.has(said) || AROUND_CONSENT.has(said))
  );
}

/** A decision that somebody tries to make among other words; undefined when there is none. */
export function readDecision(tokens: readonly Token[]): Command | undefined {
  const ids = idsIn(tokens);
  if (REJECT.has(word(tokens[0]))) return { kind: 'decision', wanted: 'reject', ids };
  const releases = ids.length > 0 && tokens.some((token) => word(token) === 'release');
  return releases || tokens.some((token) => DECIDE.test(word(token)))
    ? { kind: 'decision', wanted: 'approve', ids }
    : undefined;
}
