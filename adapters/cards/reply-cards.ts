/** Cards for what a turn came to when it is not a transfer's own card: help, lists, questions, refusals, answers. */
import { shownText } from '../../core/shown-text.ts';
import { bold, type Card, type CardAction, code, type Line } from '../card.ts';
import { encodeChoiceValue } from './button-value.ts';

/** Most items that a list shows: longer ones are narrowed by asking. */
const MAX_ITEMS = 30;
/** Most choices that are offered as buttons. */
const MAX_BUTTONS = 10;
/** Longest label of a button in characters. */
const MAX_LABEL = 70;

const text = (...lines: Line[]) => ({ type: 'text' as const, lines });

/** What the person may ask for, so that the examples work but for the file's name. */
export interface HelpFacts {
  /** `bucket` or `bucket/prefix`. */
  readonly source: string;
  readonly destination: string;
}

const SOME: HelpFacts = { source: 'finance-exports', destination: 'acme-ftp' };

export function helpCard({ source, destination }: HelpFacts = SOME): Card {
  const example = (command: string, meaning: string): Line => [code(command), ` – ${meaning}`];
  const [bucket = source, ...prefix] = source.split('/');
  const folder = `s3://${bucket}/${prefix.join('/')}`;
  return {
    fallback: `I move files from S3 to FTP servers: try “send ${folder}report.csv to ${destination}”.`,
    elements: [
      { type: 'header', text: 'What I can do' },
      text([
        'I move files from S3 to FTP servers. You ask, somebody else approves, and I deliver, check and report.',
      ]),
      text(
        [bold('Send')],
        example(`send ${folder}report.csv to ${destination}`, 'one file'),
        example(`send ${folder}*.csv to ${destination}`, 'all that match'),
        example(
          `send ${prefix.join('/')}report.csv in ${bucket} to ${destination} as in/new.csv`,
          'under another name',
        ),
      ),
      text(
        [bold('Follow')],
        example('status', 'your transfers; with a number, that one'),
        example('history', 'what was sent before'),
        example('cancel TRF-…', 'stop one'),
        example('retry TRF-…', 'try a failed one again'),
      ),
      text(
        [bold('Look around')],
        example('list buckets', 'where files can come from'),
        example(`ls ${folder}`, 'what is in there'),
        example(`info ${folder}report.csv`, 'size, date and version of one file'),
        example('destinations', 'where files can go'),
        example(`predict ${folder}report.csv to ${destination}`, 'how long it would take'),
      ),
      { type: 'context', lines: [['Approving works with the button only, and never for your own request.']] },
    ],
  };
}

export interface ListReply {
  readonly title: string;
  readonly items: readonly { readonly name: string; readonly detail?: string }[];
  /** What is not listed, or how to see more. */
  readonly more?: string;
}

export function listCard({ title, items, more }: ListReply): Card {
  const lines = items
    .slice(0, MAX_ITEMS)
    .map(
      (item): Line => [code(shownText(item.name)), ...(item.detail ? [` ${shownText(item.detail)}`] : [])],
    );
  const hidden = items.length - lines.length;
  const tail: Line[] = [...(hidden > 0 ? [[`… and ${hidden} more`]] : []), ...(more ? [[more]] : [])];
  return {
    fallback: `${shownText(title)}: ${items.length === 0 ? 'nothing' : `${items.length} found`}.`,
    elements: [
      { type: 'header', text: title },
      text(...(lines.length > 0 ? lines : [['Nothing here.']])),
      ...(tail.length > 0 ? [{ type: 'context' as const, lines: tail }] : []),
    ],
  };
}

export interface QuestionReply {
  readonly question: string;
  /** Pressing one says its `text` in the asker's name. */
  readonly choices: readonly { readonly label: string; readonly text: string }[];
}

/**
 * A question with its answers as buttons; an answer too long for a button is shown to be typed.
 *
 * @param userId who was asked: nobody else's press counts
 */
export function questionCard({ question, choices }: QuestionReply, userId: string): Card {
  const actions: CardAction[] = [];
  const typed: Line[] = [];
  for (const choice of choices) {
    const value = actions.length < MAX_BUTTONS ? encodeChoiceValue(userId, choice.text) : undefined;
    if (value === undefined) typed.push([code(choice.text)]);
    else actions.push({ actionId: 'choose', label: shownText(choice.label, MAX_LABEL), value });
  }
  return {
    fallback: shownText(question, 300),
    elements: [
      text([question]),
      ...(actions.length > 0 ? [{ type: 'actions' as const, actions }] : []),
      ...(typed.length > 0
        ? [
            text(
              [actions.length > 0 ? 'Or answer with one of these:' : 'Answer with one of these:'],
              ...typed,
            ),
          ]
        : []),
    ],
  };
}

/** Why something is not done, and what helps. */
export function refusalCard({ reason, advice }: { readonly reason: string; readonly advice?: string }): Card {
  return {
    fallback: shownText(advice ? `${reason} ${advice}` : reason, 600),
    elements: [text([`⚠️ ${reason}`], ...(advice ? [[advice]] : []))],
  };
}

/** A card with one short line of our own below it. */
export const withNote = (card: Card, note: string | undefined): Card =>
  note === undefined ? card : { ...card, elements: [...card.elements, { type: 'context', lines: [[note]] }] };

/** A plain answer, line by line as it was given. */
export function answerCard(answer: string): Card {
  return {
    fallback: shownText(answer.replaceAll(/\s+/g, ' ').trim(), 600),
    elements: [text(...answer.split('\n').map((line): Line => [line]))],
  };
}
