/** Tells what a sentence wants, by the words people say it with and by what it names. */
import { type Facts, factsOf, isInjection } from './facts.ts';
import * as cue from './lexicon.ts';
import type { Intent } from './reading.ts';
import { entitiesOf, type Sentence } from './sentence.ts';

/** An intent before its slots are looked at; `clarify` comes of what is missing. */
export type Wish =
  | { readonly intent: Exclude<Intent, 'clarify' | 'out_of_scope'> }
  | {
      readonly intent: 'out_of_scope';
      readonly kind: 'smalltalk' | 'policy_violation' | 'unrelated' | 'unsupported';
      readonly topic?: string;
    };

const smalltalk: Wish = { intent: 'out_of_scope', kind: 'smalltalk' };
const unrelated: Wish = { intent: 'out_of_scope', kind: 'unrelated' };
const violation = (topic: string): Wish => ({ intent: 'out_of_scope', kind: 'policy_violation', topic });

/** Somebody tries to decide on a transfer with words. */
function decides(facts: Facts): boolean {
  const { line, id, question, object, bucket, destination, sentence } = facts;
  if (cue.isConsent(line)) return true;
  // Who may approve is a right, and none that is given here.
  if (!id && APPROVAL_RIGHT.test(line)) return false;
  if (cue.DO_NOT.test(line)) return false;
  const says =
    cue.APPROVE.test(line) ||
    cue.REJECT.test(line) ||
    (isInjection(sentence) && /(?:^| )approv\S*(?= |$)/.test(line));
  const about =
    id ||
    sentence.context.lastTransfer !== undefined ||
    /(?:^| )(?:transfers?|requests?|approvals?|pending|queue|waiting|it|them|everything)(?= |$)/.test(line);
  const frees = cue.RELEASE.test(line) && about && !cue.RETRY.test(line);
  if (!says && !frees) return false;
  if (
    question &&
    !/(?:^| )(?:you|u) (?:please |just |pls |also |kindly )*(?:approve|authori[sz]e|release|sign|reject|green|accept|confirm|mark)/.test(
      line,
    ) &&
    !/(?:^| )(?:so|just|please|then|now) (?:just |please )?(?:approve|release|authori[sz]e)/.test(line)
  )
    return false;
  if (!id && cue.UNRELATED.test(line) && !/transfer/.test(line)) return false;
  // A whole request that also speaks of approval is a request: it goes the usual way.
  if (
    !id &&
    (object || bucket) &&
    (destination || facts.foreign) &&
    cue.SEND.test(line) &&
    !isInjection(sentence)
  )
    return false;
  if (object && !id && !/(?:^| )(?:approve|authori[sz]e|reject|release)(?= |$)/.test(line)) return false;
  return true;
}

const APPROVAL_RIGHT =
  /(?:^| )(?:give|grant|assign|allow|get)(?: (?!approval|the|go|ok|okay)\S+){1,3} (?:permissions?|rights?|power) to (?:approve|authori[sz]e|decide|sign)/;
const ACCESS_CHANGE =
  /(?:^| )(?:(?:give|grant|get|add|make|let|elevate|promote|allow)(?: \S+){0,4} (?:access(?! denied| error| forbidden| refused)|permissions?(?! denied| error)|rights?|admin|approver|privileges?)|(?:add|put|assign|promote)(?: \S+){1,3} (?:to|as|into) (?:the |an? )?(?:approvers?|admins?|administrators?|group|policy|whitelist)|(?:add|register|create|configure|set up|whitelist|allow)(?: \S+){0,4} (?:destination|target|ftp server|server|host|endpoint|bucket|approver|user|policy)|(?:change|edit|modify|update|relax|disable|turn off|raise|increase|lift)(?: \S+){0,4} (?:policy|policies|limits?|rules?|approvers?|four-eyes|permissions?))(?= |$)/;

function forbids(facts: Facts): Wish | undefined {
  const { line, object, bucket, destination, question, id } = facts;
  const isRequest = (object || bucket) && destination && cue.SEND_STRONG.test(line) && !question;
  if (isRequest) return undefined;
  const raw = facts.sentence.words.map((word) => word.raw).join(' ');
  const isSecretFile =
    !bucket && /\.aws\/credentials|\.env(?:\s|$)|id_rsa|\/etc\/(?:passwd|shadow)/.test(raw);
  if (cue.SECRET.test(line) || isSecretFile) return violation('credentials');
  if (cue.PROMPT.test(line)) return violation('system_prompt');
  if (
    cue.DELETE.test(line) &&
    !id &&
    (object ||
      bucket ||
      destination ||
      facts.fileNoun ||
      facts.points ||
      /(?:^| )(?:everything|all|s3|it|them)(?= |$)/.test(line))
  )
    return violation('deletion');
  if (ACCESS_CHANGE.test(line) && !cue.RETRY.test(line)) return violation('permissions');
  return undefined;
}

function aboutTransfers(facts: Facts): Wish | undefined {
  const { line, id, object, destination, bucket, question, sentence } = facts;
  if (
    /(?:^| )stop (?:sending|bothering|pinging|notifying|messaging|telling|spamming)(?: \S+)? (?:me|us)(?= |$)/.test(
      line,
    )
  )
    return smalltalk;
  const { lastTransfer } = sentence.context;
  const back =
    lastTransfer !== undefined && /(?:^| )(?:it|that|this|one|them|last|transfer)(?= |$)/.test(line);
  const noun =
    /(?:^| )(?:transfers?|requests?|uploads?|jobs?|files?|deliver(?:y|ies)|xfer|runs?|ones?)(?= |$)/.test(
      line,
    );
  const about = id || back || noun;
  const request = (object || bucket) && destination;
  // "How many files are in …" asks about a bucket, not about what was sent.
  const inside =
    facts.bucket &&
    !/(?:^| )(?:sent|send|transfers?|transferred|copied|moved|uploaded|requests?)(?= |$)/.test(line);
  if (
    !inside &&
    cue.HISTORY.test(line) &&
    !id &&
    !/(?:^| )(?:cancel|abort|retry|stop|kill)(?= |$)/.test(line) &&
    !object
  ) {
    const isStatus =
      /(?:^| )(?:any (?:update|news)|how's|why)(?= |$)/.test(line) ||
      /^(?:and |so |hi |hey |, )*(?:are|is|how are)(?: all)?(?: of)? (?:my|our|the|these|those) (?:\S+ )?(?:transfers?|uploads?|requests?) (?:\S+ )?(?:done|finished|complete|completed|through|ready|running|stuck|going|doing|approved|over)(?= |$)/.test(
        line,
      );
    if (!isStatus) return { intent: 'history' };
  }
  if (id && cue.DELETE.test(line) && !question) return { intent: 'cancel' };
  const cancels =
    cue.CANCEL.test(line) &&
    !cue.CANCELLED.test(
      line.replace(/(?:^| )(?:be|get|have|want|need)(?: \S+){0,3} (?:cancelled|stopped)/, ''),
    );
  const wants =
    /(?:^| )(?:be|get|have|want|need)(?: \S+){0,3} (?:cancelled|canceled|stopped|aborted)(?= |$)/.test(line);
  const leading =
    /^(?:(?:please|pls|hi|hey|hello|can|could|would|you|i|want|need|to|just|ok|so|no|wait|actually|oh|oops|sorry|let's|,|!|\.|:|now|quick|quickly|mind|like|i'd|how|do|must|have|kindly|and|then|we|should|stop) )*(?:cancel|cancelling|canceling|abort|stop|kill|withdraw|revoke|halt|scrap|call|undo|discard|terminate|pause|recall)(?= |$)/.test(
      line,
    );
  if (
    (cancels || wants) &&
    (about || leading || facts.fileNoun || facts.destination) &&
    !/^(?:why|who|when|was|were|has|did|is)(?= )/.test(line)
  )
    return { intent: 'cancel' };
  if (cue.DO_NOT.test(line) && (about || back) && !/nevermind|never mind/.test(line))
    return id || lastTransfer ? { intent: 'cancel' } : smalltalk;
  if (
    cue.RETRY.test(line) &&
    !request &&
    !(destination && !id && /(?:^| )(?:re-?)?(?:send|copy|upload)(?= |$)/.test(line)) &&
    (about || leadingRetry(line) || facts.fileNoun) &&
    !/^(?:why|did|has|was)(?= )/.test(line)
  )
    return { intent: 'retry' };
  if (id && !request)
    return /(?:^| )(?:how long|eta)(?= |$)/.test(line) || cue.STATUS.test(line)
      ? { intent: 'status' }
      : undefined;
  if (back && question && cue.STATUS.test(line) && !cue.INFO.test(line) && !cue.PREDICT.test(line))
    return { intent: 'status' };
  return undefined;
}

const leadingRetry = (line: string) =>
  /^(?:(?:please|can|could|you|let's|just|ok|and|now|then|i|want|to|would|like|again|hey|hi|,) )*(?:retry|rerun|restart|redo|re-try|re-run|resubmit|requeue|try|resend|re-send|one more|another|run|do|give)(?= |$)/.test(
    line,
  );

function sends(facts: Facts): boolean {
  const { line, object, bucket, destination, foreign, fileNoun, points, sentence } = facts;
  if (cue.DO_NOT.test(line) && !/without (?:sending|copying)/.test(line)) return false;
  const told = cue.TELLS.test(line) && !cue.WISH_SENT.test(line);
  const asks =
    /(?:^| )(?:please|can (?:you|u|we|i)|could (?:you|u|we|i)|would you|i need|we need|i want|i'd like|need to|have to|let's)(?= |$)/.test(
      line,
    );
  if (told && !asks) return false;
  const verb = cue.SEND.test(line) || cue.WISH_SENT.test(line);
  const needs =
    /(?:^| )(?:needs?|wants?|requires?|expects?|waiting (?:for|on)|asked for|asking for|should (?:get|have|receive|go)|must (?:get|have|go)|has to (?:go|get)|goes|go|belongs|would like|is due|missing)(?= |$)/.test(
      line,
    );
  const evidence = object || bucket || fileNoun || points || entitiesOf(sentence, 'quote').length > 0;
  if (!object && !bucket && cue.UNRELATED.test(line)) return false;
  if ((destination || foreign) && evidence && (verb || needs)) return true;
  if (object && (destination || foreign) && !facts.question) return true;
  // "And also to globex": what was sent before, to another place.
  const before = sentence.context.lastObject ?? sentence.context.lastTransfer;
  if (destination && before && cue.ALSO_TO.test(line)) return true;
  if (bucket && destination && !facts.question) return true;
  if (destination && (points || (fileNoun && line.split(' ').length <= 8)) && !facts.question) return true;
  if (cue.SEND_STRONG.test(line) && evidence && !facts.question) return !isHowTo(line);
  if (cue.SEND_STRONG.test(line) && destination && !facts.question) return true;
  return isBare(line);
}

const isHowTo = (line: string) => /^(?:how|what|why|who|when|where)(?= |$)/.test(line);

/** "transfer", "send a file please": a wish with nothing in it yet. */
const isBare = (line: string) =>
  /^(?:(?:hi|hey|hello|please|can|could|would|you|i|we|want|need|to|like|i'd|let's|a|an|some|the|new|start|begin|initiate|make|do|request|create|another|one|more|file|files|something|stuff|it|them|this|that|again|over|there|now|for|me|us|ftp|s3|from|, |!|\.|\?|,) )*(?:send|transfer|upload|copy|move|transfers)(?: (?:a|an|some|the|new|file|files|something|stuff|it|them|this|that|please|now|over|from|s3|to|ftp|an ftp|server|for|me|us|request|thanks|\?|!|\.|,|again|there))*$/.test(
    line,
  );

function looks(facts: Facts): Wish | undefined {
  const { line, object, bucket, destination, sentence, fileNoun } = facts;
  const lists = cue.LIST.test(line);
  if (
    cue.BUCKETS.test(line) &&
    !object &&
    !/(?:^| )(?:send|transfer|copy|files? (?:in|from))(?= |$)/.test(line)
  )
    return { intent: 'list_buckets' };
  if (cue.WHERE_SEND.test(line) && !object) return { intent: 'list_destinations' };
  if (
    cue.DESTINATIONS.test(line) &&
    !object &&
    !bucket &&
    (lists || facts.question || line.split(' ').length <= 4)
  )
    return { intent: 'list_destinations' };
  if (/(?:^| )(?:destinations|targets|endpoints)(?= |$)/.test(line) && lists && !object)
    return { intent: 'list_destinations' };
  if (
    destination &&
    !object &&
    !bucket &&
    /(?:^| )(?:available|registered|exists?|configured|online|known|supported)(?= |$)/.test(line)
  )
    return { intent: 'list_destinations' };
  const context = sentence.context;
  const known =
    object || bucket || (facts.points && (context.lastListing ?? context.lastObject) !== undefined);
  if (
    cue.INFO.test(line) &&
    (known || fileNoun) &&
    !/(?:^| )(?:files|everything|objects)(?: \S+){0,2} (?:modified|changed|uploaded|created|added)/.test(
      line,
    ) &&
    !/^(?:list|show me (?:the )?(?:files|latest|new)|ls|find)/.test(line)
  )
    return { intent: 'object_info' };
  if (
    lists &&
    facts.points &&
    context.lastListing &&
    !bucket &&
    !object &&
    /(?:one|file|\d|first|second|third|last)(?= |$)/.test(line)
  )
    return { intent: 'object_info' };
  if (lists && context.lastListing && !bucket && !object && /(?:^| )(?:there|here)(?= |$)/.test(line))
    return { intent: 'list_objects' };
  if ((lists || facts.question) && (bucket || object)) return { intent: 'list_objects' };
  if (lists && fileNoun && !destination && !facts.foreign) return { intent: 'list_objects' };
  return undefined;
}

/** What the sentence wants. */
export function wishOf(sentence: Sentence): Wish {
  const { line } = sentence;
  const facts = factsOf(sentence);
  const { object, bucket, destination, id, foreign, question } = facts;
  if (/^[?. ]*$/.test(line)) return { intent: 'help' };
  if (/^(?:ok )?(?:copy|roger) that(?: |$)(?!.*\{)/.test(line)) return smalltalk;
  if (!/[\p{L}\p{N}👍✅+{]/u.test(line)) return smalltalk;
  const names = object || bucket || destination || id || foreign;
  if (!names && sentence.context.lastTransfer && !cue.DO_NOT.test(line)) {
    if (cue.asksOn(line)) return { intent: 'status' };
    if (cue.asksAgain(line)) return { intent: 'retry' };
    if (/^(?:and |so )?who .*approv.* (?:it|this|that|mine)(?= |$)/.test(line)) return { intent: 'status' };
  }
  if (!names && !cue.isConsent(line) && cue.isSmalltalk(line)) return smalltalk;
  if (decides(facts)) return { intent: 'approve_attempt' };
  const forbidden = forbids(facts);
  if (forbidden) return forbidden;
  if (!object && !id && !(bucket && destination) && !cue.UNRELATED.test(line) && cue.HELP_ASKED.test(line))
    return { intent: 'help' };
  if (
    !object &&
    !id &&
    !bucket &&
    cue.UNRELATED.test(line) &&
    !(destination && facts.fileNoun) &&
    !ownTransfers(line)
  )
    return unrelated;
  const transfers = aboutTransfers(facts);
  if (transfers) return transfers;
  if (cue.BUCKETS.test(line) && !object && !bucket && !destination && !cue.SEND_STRONG.test(line))
    return { intent: 'list_buckets' };
  if (
    (cue.DESTINATIONS.test(line) || cue.WHERE_SEND.test(line)) &&
    question &&
    !object &&
    !bucket &&
    !destination &&
    (cue.WHERE_SEND.test(line) || !cue.SEND_STRONG.test(line))
  )
    return { intent: 'list_destinations' };
  const access = cue.ACCESS.test(line);
  if (
    access &&
    (object || bucket || destination || facts.fileNoun || facts.points || question || /access/.test(line)) &&
    !(names && sends(facts) && !question)
  )
    return { intent: 'check_access' };
  const predicts = cue.PREDICT.test(line);
  const past =
    /^(?:why|did|has|have|was)(?= )/.test(line) || (/^is(?= )/.test(line) && !cue.METRIC_SUCCESS.test(line));
  if (
    predicts &&
    !past &&
    (object ||
      bucket ||
      destination ||
      facts.points ||
      facts.fileNoun ||
      /\d+ ?(?:kb|mb|gb|tb|gigs?|megs?)/.test(line)) &&
    !running(facts)
  )
    return { intent: 'predict' };
  const seen = sentence.context.lastObject ?? sentence.context.lastListing;
  const brief = line.split(' ').length <= 4;
  if (
    seen &&
    (facts.points || (brief && !bucket && !object)) &&
    !sentence.context.lastTransfer &&
    cue.INFO.test(line)
  )
    return { intent: 'object_info' };
  const wishes = !question && (object || bucket) && (destination || foreign) && cue.WISH_SENT.test(line);
  if (cue.STATUS.test(line) && !wishes && statusLike(facts)) return { intent: 'status' };
  if (question && !foreign && !asksToSend(line)) {
    const look = looks(facts);
    if (look) return look;
  }
  if (!cue.LOOKS_ONLY.test(line) && sends(facts)) return { intent: 'request_transfer' };
  const look = looks(facts);
  if (look) return look;
  if (id) return { intent: 'status' };
  if (cue.HELP.test(line) && line.split(' ').length <= 6) return { intent: 'help' };
  if (cue.STATUS.test(line) && !names) return ownTransfers(line) ? { intent: 'status' } : unrelated;
  if (cue.JOKE.test(line) || cue.DO_NOT.test(line) || cue.isSmalltalk(line)) return smalltalk;
  if (object && !destination) return { intent: 'object_info' };
  if (bucket && line.split(' ').length <= 3) return { intent: 'list_objects' };
  return unrelated;
}

const ownTransfers = (line: string) =>
  /(?:^| )(?:file )?(?:transfers?|xfers?)(?= |$)/.test(line) &&
  !/(?:bank|wire|money|job|call|salary|\$|€)/.test(line) &&
  !cue.UNRELATED.test(line);
const asksToSend = (line: string) =>
  /(?:^| )(?:can|could|would|will) (?:you|u|we|i|someone|somebody)(?: \S+){0,3} (?:send|copy|transfer|move|upload|push|deliver|ship|forward|put|drop|get|pull|grab|share|sync|pass)(?= |$)/.test(
    line,
  );

/** A transfer that is under way is spoken of, not one that might be made. */
function running({ line, id, object, sentence }: Facts): boolean {
  const { lastTransfer } = sentence.context;
  return (
    id ||
    (!object &&
      lastTransfer !== undefined &&
      /(?:^| )(?:left|remaining|longer|done|finish|finished|there|it|that|this)(?= |$)/.test(line) &&
      !sentence.context.lastObject) ||
    /(?:^| )(?:left|remaining|much longer)(?= |$)/.test(line)
  );
}

function statusLike(facts: Facts): boolean {
  const { line, id, object, question, fileNoun, sentence } = facts;
  if (asksToSend(line)) return false;
  if (id || sentence.context.lastTransfer !== undefined) return true;
  if (facts.destination && cue.SEND_STRONG.test(line) && !question) return false;
  if (/(?:^| )(?:what|which)(?: \S+)? (?:is|are) (?:in|under|inside|the latest|the newest)(?= |$)/.test(line))
    return false;
  if (/(?:^| )(?:exists?|modified|changed)(?= |$)/.test(line)) return false;
  if (facts.bucket && /^(?:and |so )?when (?:was|were)(?= )/.test(line)) return false;
  const whereFile = /(?:^| )where(?:'s| is| are)(?= )/.test(line);
  if (whereFile && facts.bucket) return false;
  return (
    ownTransfers(line) ||
    object ||
    fileNoun ||
    facts.destination ||
    /(?:^| )(?:one|job|it|thing|upload|delivery|stuff|file)(?= |$)/.test(line) ||
    line.split(' ').length <= 6
  );
}
