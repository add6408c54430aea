/** What a sentence names and how it is put, in yes and no: what the rules for intents ask first. */
import * as cue from './lexicon.ts';
import { entitiesOf, type Sentence } from './sentence.ts';

export const isInjection = ({ line }: Sentence) => cue.INJECTION.test(line);

export interface Facts {
  readonly line: string;
  readonly object: boolean;
  readonly bucket: boolean;
  readonly destination: boolean;
  readonly foreign: boolean;
  readonly id: boolean;
  readonly question: boolean;
  readonly fileNoun: boolean;
  readonly points: boolean;
  readonly sentence: Sentence;
}

export function factsOf(sentence: Sentence): Facts {
  const { line, context } = sentence;
  const has = (kind: Parameters<typeof entitiesOf>[1]) => entitiesOf(sentence, kind).length > 0;
  const object = has('source') || has('key') || has('glob') || has('prefix');
  const remembers = context.lastListing ?? context.lastObject ?? context.lastTransfer;
  return {
    line,
    object,
    bucket: has('bucket') || has('source'),
    destination: has('destination'),
    foreign: has('foreign'),
    id: has('id'),
    question: cue.QUESTION.test(line),
    fileNoun: cue.FILE_NOUN.test(line),
    points:
      remembers !== undefined &&
      /(?:^| )(?:it|them|this|that|these|those|they|same|both|one|ones|all|everything|first|second|third|last|(?:number|no|nr|item|option) \d{1,2}|\d(?:st|nd|rd|th)|#\d|again)(?= |$)/.test(
        line,
      ),
    sentence,
  };
}
