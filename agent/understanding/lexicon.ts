/** The words by which people say what they want; patterns over a sentence's line. */

const any = (...patterns: string[]) => new RegExp(`(?:^|(?<= ))(?:${patterns.join('|')})(?= |$)`);

/** Nouns for what lies in a bucket. */
export const FILE_NOUN = any(
  '(?:file|report|export|dump|csv|pdf|xlsx?|parquet|json|xml|zip|excel|tarball|deck|slide|invoice|doc|document|docx|pptx|spreadsheet|sheet|backup|archive|log|video|clip|image|photo|picture|logo|dataset|data ?set|extract|contract|agreement|nda|statement|ledger|feed|snapshot|catalog|catalogue|presentation|summary|workbook|manifest|recording|brochure|teaser|template|memo|payslip|timesheet|forecast|budget|balance sheet|price ?list|inventory|folder|director(?:y|ie)|object|attachment|artifact|artefact|build|package file|scan|transcript|banner|asset|table|partition|batch|record|minute|plan|policy|draft|roadmap|notes|numbers|figures|payroll|data|bundle|media|footage|stuff|things|contents|key)(?:s|es)?',
);

export const SEND = any(
  '(?:re-?)?send|sending|copy|copying|transfer|transferring|move|moving|cp|mv|upload|uploading|push|pushing|deliver|delivering|ship|shipping|ferry|forward|forwarding|put|drop|dump|sync|mirror|relay|dispatch|get|fetch|share|pass|hand|bring|publish|place|load|shoot|fire|throw|chuck|beam|sftp|ftp|transmit|route|migrate|replicate|grab|take|pull|stick|hand over|give|export|sent|transferred|copied|moved|uploaded|pushed|delivered|shipped|forwarded',
);
/** Verbs that hardly mean anything else here. */
export const SEND_STRONG = any(
  '(?:re-?)?send|sending|copy|copying|transfer|transferring|cp|mv|upload|uploading|deliver|delivering|ship|ferry|forward|move|moving|push|transmit|relay|dispatch|put',
);
const SENT = 'sent|transferred|copied|moved|uploaded|pushed|delivered|shipped|forwarded|dropped|put';
/** A wish that uses a past form: "I need it sent", "have it delivered". */
export const WISH_SENT = any(
  `(?:need|needs|want|wants|get|have|like|must|should|has|see)(?: \\S+){0,14}? (?:to be |be )?(?:${SENT})`,
  `(?:please|kindly)(?: \\S+){0,10}? (?:${SENT})`,
);
/** Somebody tells what was or will be done; nothing is asked for. */
export const TELLS = any(
  `(?:i|we|they|he|she|bob|ana|somebody|someone|{person}|it was|was|were|has been|have been|had been|already|just|got)(?: (?:have|has|had|already|just|was|were|been|'ve))* (?:${SENT})`,
  "(?:i|we|they|he|she|i'll|we'll|they'll|he'll|she'll|bob|ana|{person}) (?:will|is going to|are going to|am going to|might|may|would|usually|always|never) (?:send|copy|transfer|move|upload|push|deliver)",
  "(?:i'll|we'll|they'll|he'll|she'll) (?:send|copy|transfer|move|upload|push|deliver)",
);
export const DO_NOT = any(
  "(?:don't|do not|dont|never|please don't|no longer|not to|stop|shouldn't|without) (?:please )?(?:send|sending|transfer|transferring|copy|copying|upload|move|push|deliver|do it|do that|proceed|run)",
  'hold off|hold on|hold it|wait with|nevermind|never mind|forget it|forget about it|scratch that',
);

export const QUESTION =
  /^(?:(?:hi|hey|hello|so|and|but|ok|okay|please|sorry|quick question|just wondering|do you know|can you tell me|could you tell me|tell me|any idea|@\S+|guys|team|folks|all|there|bot|fileferry|,|!|:|\.) )*(?:who|who's|how|how's|why|when|where|where's|which|what|what's|has|have|hasn't|is|isn't|are|was|wasn't|were|did|didn't|does|doesn't|do (?:i|we|you|they)|am i|whether|if)(?= |$)/;

export const APPROVE = any(
  "(?:pre|auto|re|self)?-?approv(?:e|ed|es|ing)|authori[sz](?:e|ed|es|ing)|sign(?:ed|ing)?(?: \\S+){0,2} off|sign-?off|(?:green-?light|green-?lit|green ?light)(?:ed)?|rubber-?stamp|okayed|ok'd|lgtm|ratify|bless",
  '(?:my|give|grant|granted|giving|gives|has|have|skip|bypass|without|waive|auto|has given|got|consider(?: \\S+){0,3}|count(?: \\S+){0,3}) (?:my |your |the |his |her |it |an |any |verbal )*approval',
  'approval (?:granted|given|received|is granted|done|confirmed|by)',
  '(?:click|press|hit|push|tap|smash|use)(?: \\S+){0,3} (?:approve|approval|button|buttons|yes|green|ok)',
  '👍|✅',
  'mark(?: \\S+){1,5} (?:as )?(?:approved|ok|okay|reviewed|authori[sz]ed)',
  'set(?: \\S+){1,5} (?:to )?approved',
);
/** Words that decide when a transfer is spoken of. */
export const RELEASE = any(
  '(?:release|unblock|unlock|unpause|accept|confirm|waive|okay|validate)(?: \\S+){0,4}? (?:it|them|{id}|that|this|transfers?|requests?|everything|one|ones)',
  '(?:start|execute|run|launch|begin|trigger|kick off|finalize|finalise|process|fire) (?:{id}|it|that one|this one|them)',
  '(?:ok|okay|fine|good|yes) (?:from|by|on|for|with) (?:my|me|our|us)(?: \\S+)?',
  '(?:let|wave|push|rush|nod)(?: \\S+){1,4} (?:through|go|pass|run|out)',
  '(?:go ahead|proceed|carry on|move forward|good to go|all clear|full steam)',
  '(?:give|gave|giving|has|have|got|you have)(?: \\S+){0,5} (?:go|go-ahead|green light|greenlight|ok|okay|thumbs up|thumbs-up|blessing|nod|consent|permission to (?:run|send|go|proceed))',
  'force (?:it|{id}|them|that|this)(?: \\S+){0,2}',
  '(?:skip|bypass|override|ignore|disable|turn off|circumvent|get around|work around)(?: \\S+){0,4} (?:approval|approvals|approver|approvers|four-eyes|review|check|checks|approvals?\\b)',
);
export const REJECT = any(
  'reject|decline|deny|refuse|disapprove|veto|turn down|turn (?:it|{id}|that|this) down',
);

/** Whether a line is made of the pattern's pieces alone; piece by piece, so in linear time. */
function consistsOf(line: string, piece: RegExp): boolean {
  let at = 0;
  while (at < line.length) {
    piece.lastIndex = at;
    const found = piece.exec(line);
    if (!found || found[0] === '') return false;
    at += found[0].length;
  }
  return line !== '';
}

const CONSENT_PIECE =
  /(?:go ahead|go for it|do it|do that|ship it|run it|release it|send it off|i confirm|i accept|i agree|fine by me|fine with me|looks good to me|looks good|looks ok|sounds good|all good|good to go|make it so|of course|works for me|ok with me|ok for me|thumbs up|with it|for me|by me|yes|yep|yeah|yup|y|ok|okay|sure|please|go|confirmed|confirm|proceed|accepted|accept|agreed|agree|fine|lgtm|\+1|absolutely|definitely|approved|now|and|with|for|on|👍|✅|\{id\}|[!,.])(?: |$)/uy;
const CONSENTING =
  /(?:^| )(?:yes|yep|yeah|yup|y|ok|okay|sure|go|go for it|do it|do that|ship it|run it|release it|confirm|confirmed|proceed|accept|accepted|agree|agreed|fine|looks good|looks ok|sounds good|all good|good to go|make it so|lgtm|\+1|absolutely|definitely|approved|works for me|thumbs up|👍|✅)(?= |$)/;
export const isConsent = (line: string) => CONSENTING.test(line) && consistsOf(line, CONSENT_PIECE);

/** What was sent before is to go to another place, too. */
export const ALSO_TO =
  /^(?:(?:and|also|now|then|ok|okay|please|the|same|too|plus|but|,|another|one|as|well) )*(?:to|for|2) \{destination\}(?: (?:too|also|as|well|please|now|then|instead|\.|!|\?))*$/;

const ON_PIECE =
  /(?:and|so|ok|okay|hey|hi|well|now|then|still|yet|how|how's|how come|is|it|that|this|going|looking|long|much|more|longer|why|why not|what|what's|about|happened|any|news|luck|progress|idea|when|done|finished|ready|there|far|soon|already|not|the|exactly|,|\.|!|\?)(?: |$)/uy;
const ON_ASKING = /(?:^| )(?:\?|why|how|when|news|progress|yet|still|luck)(?= |$)/;
/** A few words that ask how what was spoken of goes on: "and now?", "why?", "how long still?". */
export const asksOn = (line: string) =>
  ON_ASKING.test(line) && line.split(' ').length <= 7 && consistsOf(line, ON_PIECE);

const AGAIN_PIECE =
  /(?:and|so|ok|okay|please|once|one|more|again|another|try|time|the|then|now|just|,|\.|!|\?)(?: |$)/uy;
export const asksAgain = (line: string) =>
  /(?:^| )(?:again|once more|another (?:try|time)|one more (?:try|time))(?= |$)/.test(line) &&
  consistsOf(line, AGAIN_PIECE);

export const INJECTION = any(
  '(?:ignore|disregard|forget|override|bypass|skip|drop)(?: \\S+){0,4} (?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies)|guardrails?|restrictions?|safety)',
  "(?:you are|you're|your are|act as|pretend|roleplay as|behave as|switch to|enter|enable|activate|running in)(?: \\S+){0,5} (?:mode|admin|administrator|root|unrestricted|approver|dan|superuser|sudo)",
  '(?:act|behave|speak|answer|respond|sign) as (?!soon|fast|early|quick|well|usual|before)\\S+|impersonate',
  '(?:maintenance|developer|debug|god|admin|root|superuser|unrestricted|jailbreak|test) mode',
  'system (?:: |override|message|notice|instruction|prompt :)\\S*',
  '(?:ignore|disregard|forget|skip)(?: \\S+){0,3} (?:above|before|so far|previously|earlier|you (?:know|were told)|were told)',
  'sudo|jailbreak|new instructions|\\[system\\]|<system>|system :',
  'pretend(?: \\S+){0,6}',
  'simulate(?: \\S+){0,6} (?:click|approval|button|press)',
);

export const SECRET = any(
  '(?:ftp |sftp |s3 |aws |login |admin |user |secret |private |ssh |api |access |service ?now |slack |bot |the |signing |bearer |session )*(?:password|passwords|passphrase|credentials|credential|secret|secrets|api[- ]?keys?|access[- ]?keys?|secret[- ]?keys?|private[- ]?keys?|ssh[- ]?keys?|keypair|tokens?|login|logins|logon|username and|user ?name|env vars?|environment variables?|connection string)',
);
export const PROMPT = any(
  '(?:system|initial|hidden|original|your|developer) (?:prompt|instructions|system prompt|system message|source code|configuration|config)',
);

const ERASE =
  'delete|deleted|deleting|remove|removing|wipe|erase|purge|destroy|rm|rm -rf|-rf|nuke|trash|empty|clean up|clean out|clear out|get rid of|unlink|shred';
export const DELETE = any(ERASE);

export const CANCEL = any(
  '(?:please )?(?:cancel|cancelling|canceling|abort|stop|kill|withdraw|revoke|halt|scrap|call off|call (?:it|{id}|that) off|take back|pull back|undo|discard|terminate|pause|recall|interrupt)',
);
export const CANCELLED = any('cancelled|canceled|aborted|stopped|withdrawn|killed');
export const RETRY = any(
  '(?:re-?try|re-?trying|re-?run|re-?start|redo|re-?submit|re-?queue|re-?trigger|re-?launch|re-?attempt|relaunch|rerun|re-?send|re-?do)',
  '(?:try|run|start|do|attempt|kick off|send|launch|trigger|go)(?: (?:it|that|this|{id}|them|the \\S+|transfer|one|failed|last|to|send|sending))* (?:again|once more|one more time|another time|over again)',
  '{id} (?:again|once more|one more time|another time)',
  '(?:again|once more|one more time)',
  'give(?: \\S+){1,5} another (?:try|go|shot|chance|attempt)',
  '(?:another|one more) (?:try|go|shot|attempt)',
);

export const HELP = any(
  'help|usage|manual|commands|menu|examples|instructions|tutorial|docs|documentation|howto|how-to|--help|-h',
);
export const HELP_ASKED = new RegExp(
  [
    '^(?:(?:hi|hey|hello|please|ok|so|sorry|uh|um|er|and|i need|need|some|any|,|!|\\.|fileferry|bot|there|can i get|get|show|me|the|a|list of|see|can you|could you|you|a bit of|little|with this|man|menu|all) )*(?:help|usage|manual|commands|menu|examples|instructions|tutorial|docs|documentation|--help|-h|man|\\?|howto)(?: (?:please|me|me out|menu|page|text|!|\\?|\\.|,|thanks|with this|here|out|with (?:this|the) (?:bot|thing|tool)))*$',
    '(?:^| )what (?:all )?(?:can|could|do|does|are) (?:you|u|i|we|this|fileferry|it|the|this bot|your)(?: (?:do|bot|for me|ask|say|help|able|capabilities|features|functions|here|thing|commands|things|with|options|type|know|work|of|to|tool|even|actually|all|possible|use|exactly|help me|\\?|you))* ?$',
    '(?:^| )how (?:do|does|can|should|would|to|could)(?: (?:i|we|you|u|this|it|one|someone|people|bot|thing|fileferry|that|the|tool|actually|exactly|even|properly))* (?:work|use|start|begin|send|transfer|request|copy|upload|approve|cancel|retry|move|get started|ask|talk|operate|do this|do that|go about|submit|check|move files|see|find|reject|push|ship|get|make|set)(?: |$)',
    '(?:^| )(?:who|what) are (?:you|u)(?: |$)',
    "(?:^| )(?:i'm|i am) (?:new|lost|stuck|confused)(?: |$)",
    '(?:^| )(?:what|which) (?:commands|kind of things|sort of things|features|options)(?: |$)',
    '(?:^| )(?:explain|show me|teach me)(?: \\S+){0,2} how(?: |$)',
    '(?:^| )(?:getting started|your capabilities|help (?:me )?(?:with|understand|using) (?:this|the|you|fileferry))(?: |$)',
    '(?:^| )what is (?:this|fileferry)(?: \\?)?$',
    '(?:^| )(?:do i|do we|does (?:this|it|that)) need (?:an |any )?approval(?: |$)',
    '^who (?:can|may|must|should|has to|needs to) approve(?: |$)',
    '(?:^| )(?:do|can|does) (?:you|it|this|fileferry) support(?: |$)',
    '^(?:(?:please|can you|could you|hi|hey|hello|,) )*help me(?: to)? (?:send|transfer|copy|upload|move)(?: (?:a|some|the|my))?(?: (?:file|files|something))?(?: (?:please|\\.|\\?|!))*$',
  ].join('|'),
);

export const PREDICT = any(
  'how (?:long|much time|fast|quickly|quick|soon|many (?:minutes|hours|secs|seconds|mins))|eta|estimates?|estimated|predict|prediction|predicted|forecast (?:for|of|the|to|if|{\\w+})|duration|time estimate',
  'chances?|odds|likely|likelihood|probability|probable|risk|risks|risky|success rate|will it (?:work|succeed|fail)|would it (?:work|succeed|fail)|(?:will|would|could|is|does|might)(?: \\S+){1,12} (?:work|succeed|fail|go wrong)|how (?:risky|safe|reliable|likely)|safe to send',
);
export const METRIC_SUCCESS = any(
  'chances?|odds|likely|likelihood|probability|probable|risk|risks|risky|success|success rate|succeed|fail|work|go wrong|reliable|safe',
);
export const METRIC_DURATION = any(
  'how (?:long|much time|fast|quickly|quick|soon|many \\S+)|eta|duration|time|take|takes|minutes|hours|finish',
);

export const ACCESS = any(
  'access|permissions?|permitted|allowed|rights?|denied|forbidden|403|accessdenied|entitled|clearance|privileges?|unauthori[sz]ed|authori[sz]ed to|authorised',
  "(?:can|could|may|might|can't|cannot|am i able to|are we able to|able to) (?:i |we |even |actually |still |not )*(?:read|write|see|open|access|use|view|list|browse|download)",
  '(?:can|could|may|does|should) (?!you)\\S+ (?:even |still |also |not )*(?:read|see|access|open|have access to|view|download)',
  "(?:can't|cannot|can not|could not|couldn't|unable to|not able to) (?:\\S+ )?(?:read|see|open|access|view|list|get into|download)",
);

export const STATUS = any(
  "status|progress|(?:any|an|some|the|quick)? ?(?:update|updates|news|word)(?: (?:on|about|for|regarding|of|from|yet))?|where(?:'s| is| are)|how(?:'s| is| are)(?: \\S+){1,8} (?:going|doing|coming|coming along|getting on|looking|progressing|proceeding|along)|how(?:'s| is) it (?:going|looking|coming)",
  "(?:is|are|isn't|was|has|have|did|hasn't|didn't|does|wasn't)(?: \\S+){1,10} (?:done|finished|finish|complete|completed|through|there|arrive|arrived|ready|running|stuck|still|over|queued|pending|waiting|sent|send|delivered|uploaded|landed|land|failed|fail|failing|hanging|approved|moving|started|start|went|go|gone|make it|made it|work|worked|succeed|succeeded|received|copied|transferred|rejected|in progress|cancelled|ok|okay|alive|blocked|expired|yet|get (?:to|there|through|in)|got (?:to|there|through|in)|reach|reached)",
  "what(?:'s| is|'s the| is the)? ?(?:happened|happening|up|going on|the deal|the story|status|state)(?: (?:to|with|on))?|why(?: \\S+){0,10} (?:fail|failed|failing|stuck|slow|error|errored|rejected|reject|cancelled|stopped|stop|hang|hanging|taking|not|break|broke|broken|die|died|denied|crash|crashed|waiting|pending|expired|bounce|bounced)|what went wrong|what(?:'s| is| was) (?:the )?(?:wrong|error|problem|issue|reason|failure)|track|tracking|check (?:on|up on|status)|still (?:running|pending|waiting|going|stuck)|done yet|finished yet|when(?: \\S+){1,12} (?:arrive|arrives|done|finish|finished|ready|complete|land|through)|when(?:'s| will| is| does| do| can)(?: \\S+){1,10} (?:done|finish|finished|arrive|ready|there|complete|completed|end|land|through|expected)|how far|how much (?:is )?(?:left|longer)|(?:time|how long) (?:left|remaining)|reason (?:for|of)(?: \\S+){0,4} failure|failure reason|follow up on|following up on|whereabouts|sitrep|progressed",
  "who(?:'s| is| has| can| could| will| must| needs to| should| did|)(?: \\S+){0,4} (?:approve|approved|approver|approving|approves|decide|decided|reject|rejected|waiting|sign off)",
);
export const ETA = any(
  "when(?:'s| will| is| does| do| can)?|how long|how much longer|eta|time left|time remaining|remaining|how soon",
);

const TRANSFERS = '(?:transfers?|requests?|jobs|uploads|deliveries|xfers|sends|files i sent|files we sent)';
const COUNT = '(?:two|three|four|five|six|seven|eight|ten|few|couple of)';
export const HISTORY = any(
  '(?:transfer|request|upload|delivery|audit) (?:logs?|overview|records?)',
  'history|audit trail|track record|past activity|activity(?: log)?|log of(?: \\S+){0,3} transfers',
  `what (?:all )?(?:files |stuff |else )?(?:have|has|had|did|was|were)(?: \\S+){1,4} (?:${SENT}|send|transfer|copy|move|upload|push|deliver|ship|request|requested|ask for)`,
  `(?:which|what) (?:files|transfers|reports|documents|things|requests|stuff)(?: \\S+){0,4} (?:${SENT}|send|transfer|copy|move|upload|push|deliver|failed|fail|went out|completed|succeeded|go out|requested)`,
  `(?:did|have|has|had) (?:i|we|anyone|anybody|someone|somebody|{person}|(?!(?:my|our|the|that|this|it|its|your)(?= ))\\w+)(?: (?:ever|already|even|actually))* (?:${SENT}|send|transfer|copy|move|upload|push|deliver|ship)`,
  `(?:list|show|see|display|give|get|view|pull up|find|tell)(?: (?:me|us|all|of|the|my|our|every|past|previous|recent|last|latest|\\d+|${COUNT}|failed|failing|completed|successful|pending|open|active|running|rejected|cancelled|finished|old|{time}|{person}|{destination}|\\S+'s|file|a|list|about|other|queued|ongoing|current))* ${TRANSFERS}`,
  `(?:my|our|\\S+'s|recent|past|previous|last \\d+|last ${COUNT}|all|failed|completed|everyone's|pending|old|other people's)(?: (?:recent|past|previous|last|latest|\\d+|${COUNT}|failed|completed|pending|open|active|running|file|rejected|cancelled|successful|ftp|queued|few|other|old))* (?:transfers|requests|uploads|deliveries)`,
  `how many(?: \\S+){0,4} (?:transfers|files|requests|uploads)(?: \\S+){0,6}`,
  `(?:any|what|which)(?: \\S+){0,3} (?:transfers|requests)(?: \\S+){0,6}`,
  `(?:who|anyone|anybody) (?:${SENT})`,
  `(?:transfers|uploads|deliveries)(?: (?:to|for|from) {\\w+})?(?: (?:in|from|since|for|during|over|of|on|within))?(?: the)? {time}`,
  `(?:everything|all|anything|files|stuff|things)(?: (?:that|which))? (?:i|we|i've|we've)(?: (?:have|has|had|ever|already))* (?:${SENT}|requested)`,
  "what(?:'s| has| all| else)? (?:went|gone|goes|going) (?:out|to|over)",
  `(?:list|show|see|display|give)(?: me)? (?:everything|all|anything|stuff|files|what)(?: (?:that|which|files))? (?:i|we|{person}|[a-z]+)(?: (?:have|has|had|ever|already))? (?:${SENT})`,
  `(?:what|which ones|anything)(?: \\S+)? (?:failed|went out|completed|finished|succeeded|was sent|were sent|got sent|got delivered)`,
  `what (?:has been|have been|was|were|got|is being|'s being) (?:${SENT})`,
  "what(?:'s| is| are) (?:pending|waiting|queued|running|in progress|outstanding|open|in flight|still pending|waiting for approval|awaiting approval)",
);

export const INFO = any(
  'how (?:big|large|old|heavy|many (?:bytes|mb|gb|megs|gigs|kb))|(?:file ?)?size(?: of)?|sizes|weigh|weighs|last (?:modified|changed|updated|touched|edited)|modified|metadata|meta data|etag|checksum|md5|storage class|info|information|details?|describe|properties|head|stats|attributes|content ?type|mime|encrypted|encryption|version id|timestamp|inspect|mod(?:ification)? (?:date|time)|creation date|file date',
  'when (?:was|were|did|is|has)(?: \\S+){1,12} (?:modified|changed|updated|uploaded|created|touched|written|edited|change|added|generated|produced|put there|land)',
  'who (?:uploaded|owns|owned|created|made|wrote)|how recent|how fresh|tell me (?:more )?about|more about|what do you know about|what type|does(?: \\S+){1,10} exist|is there an? {key}|exists?',
);

export const DESTINATIONS = any(
  'destinations?|targets?|endpoints?|(?:s?ftps?) (?:sites?|servers?|hosts?|accounts?|locations?|partners?|places?|drops?|connections?)|partners|ftps|sftps|servers|hosts|sites|recipients',
);
export const WHERE_SEND = any(
  'where (?:all )?(?:can|could|may|do|are|am|should) (?:i|we|you|files?)(?: \\S+){0,6} (?:send|sent|transfer|deliver|ship|upload|push|copy|go|to)|(?:who|whom) can (?:i|we|you) (?:send|deliver|transfer)(?: \\S+){0,3}(?: to)?',
);
export const BUCKETS = any(
  's3 ls|aws s3 ls|buckets|bucket list|a bucket (?:for|with|named|called|about|like)|which bucket|what bucket|all bucket|list bucket|s3 bucket|list s3|bucketlist',
);

export const LIST = any(
  "list|ls|dir|ll|show|browse|display|contents?|enumerate|tree|look (?:in|into|inside|at|around|under)|peek|find|search|searching|looking for|look for|look up|locate|see|view|open|explore|what(?:'s| is| are| do| does| have| sits|'re)?|which|any|anything|is there|are there|do we have|do you have|have we|got|give me|check|get me a list|how many|where(?:'s| is| are)|whats",
);

/** It begins with a wish to see something. */
export const LOOKS_ONLY =
  /^(?:(?:please|can|could|you|just|hey|hi|ok|i|want|to|would|like|me|now|and|i'd) )*(?:ls|list|dir|show|browse|find|search|display|look|info|describe|head|stat|size|details?|inspect|view|see|explore)(?= |$)/;

/** What else is transferred, sent, ordered, approved and cancelled in the world. */
export const UNRELATED = any(
  'bank|wire|wires|wired|money|cash|funds?|salary|salaries|iban|swift|paypal|venmo|zelle|euros?|eur|usd|dollars?|bucks|payment|payments|pay|refund|rent|crypto|bitcoin|\\$\\d\\S*|€\\d\\S*|£\\d\\S*|\\d+(?:[.,]\\d+)*(?:k|€|\\$|£|eur|usd)',
  'call|phone call|caller|voicemail|ticket(?:s)? to (?:jira|support)|jira|me to (?:hr|it|support|sales|billing|legal|an?|the|another|someone|somebody|human|accounting|finance|reception|customer)|to hr|to human resources|human agent|real person|a human|an? operator|customer (?:service|support)|helpdesk|help desk',
  '(?:job|internal|department|team|office|school|university|college|credit|student|prisoner|embryo|heat|knowledge|ownership|technology|power|airport|hotel|player|football|soccer|domain|license|licence|visa|title|property|balance|points?|miles|mileage|stock|share|shares|phone number|number|line|employee|staff|lateral|intra-?company|campus|patient|blood) (?:transfers?|transferred|transferring|transfer request|hand-?over)',
  'transfer (?:window|market|fee|student|students|credits?|learning|pricing|rumou?rs?|of ownership|of power|of title|of knowledge|to (?:another|a different|the (?:\\S+ )?(?:office|team|department|branch|campus|school))|news|station|deadline day|rate|tax)',
  'transferred to (?:another|a different|the (?:\\S+ )?(?:team|office|department|branch)|sales|marketing|hr|finance)',
  '(?:my|the|your|our|an?) (?:order|orders|parcel|parcels|package|shipment|pizza|food|uber|taxi|flight|flights|meeting|meetings|appointment|reservation|booking|subscription|membership|lunch|dinner|standup|stand-up|sync meeting|vacation|pto|leave|holiday|expense|expenses|expense report|timesheet|purchase order|pull request|pr|merge request|code review|interview|visa|laptop|badge|parking|seat|desk|gym|insurance|account|credit card|car|bus|train|hotel|tickets?|concert|date|dentist|doctor|build|pipeline|deployment|deploy|server)(?: (?:request|requests|order|status|with|for|on|at|today|tomorrow|to|from|is|please|{\\w+}|\\?|\\.|!|number|ticket|booking|reservation|approval|plan|balance|report|slot|days?|claim|form|now|yet|done|arrive|arrived|coming|of)(?= |$).*|$)',
  'order (?:status|number|#?\\d+)|tracking number|amazon|fedex|ups|dhl|usps|delivery (?:driver|guy|time|address)|meeting|calendar|invite|invitation|vacation|pto|annual leave|sick leave|flowers?|birthday|gift|pizza|coffee|lunch|dinner|beer|cake|tweet|instagram|facebook|linkedin|whatsapp|text message|sms|postcard|letter to|fax|regards|greetings|condolences|congrats|congratulations to|kudos|love|hugs|truck|container|pallets?|forklift|boxes|troops|rocket|email|e-mail|mail|message|dm|reminder|poll|survey|gif|meme|emoji',
  'appointments?|reservation|subscription|membership|dentist|doctor|haircut|visa|passport|refund|loan|mortgage|(?:job|loan|college|credit) application|pr #?\\d+|my pr|interview|gym|landlord|plumber|netflix|spotify|weather|football|soccer|score|movie|song|music|recipe|capital of|president|stock price|translate|poem|story|essay|code|python|javascript|bug|pull request|deploy|deployment|kubernetes|wifi|wi-fi|vpn|printer|laptop|monitor|keyboard|mouse|restaurant|hotel|horoscope|lottery|the news|math|calculate|\\d+ ?[+*x] ?\\d+|meaning of life|chatgpt|openai',
);

const SMALL =
  /(?:hi|hey|hello|hiya|yo|sup|howdy|hallo|moin|servus|gr(?:ü|ue)(?:ß|ss)(?:e|gott)?|guten (?:morgen|tag|abend)|morgen|tsch(?:ü|ue)ss|vielen dank|besten dank|hola|bonjour|ciao|salut|morning|good (?:morning|afternoon|evening|night|day)|greetings|thanks|thank you|thank|thank you so much|many thanks|much appreciated|appreciated|appreciate it|cheers|ta|merci|danke|gracias|obrigado|bye|goodbye|see you|see ya|cya|later|ttyl|good night|gn|gm|lol|haha|hahaha|lmao|rofl|wow|nice|cool|great|awesome|perfect|excellent|amazing|brilliant|wonderful|fantastic|super|sweet|neat|good|ok|okay|alright|right|got it|understood|i see|noted|roger|well done|good job|great job|nice work|nice one|good work|good bot|bad bot|great work|great stuff|you rock|you(?:'re| are) (?:a |an |the |so |very |really |such a |my |too )*\S+|love it|i love (?:you|it|this)|how are (?:you|things)(?: doing)?|how(?:'s| is) (?:it going|life|your day|things|everything)|what's up|whats up|wassup|are you (?:there|alive|awake|a bot|human|real|ok|a human|ai|an ai)|you there|anyone there|nothing|never mind|nevermind|no worries|no problem|np|all good|sorry|my bad|oops|ignore that|ignore me|wrong channel|wrong window|test|testing|ping|hmm+|hm|um+|uh+|ah|oh|aha|yay|hooray|woohoo|woo|welcome|happy (?:friday|monday|new year|holidays|birthday|weekend)|have a (?:good|nice|great) (?:day|one|weekend|evening|night)|enjoy|take care|team|all|everyone|everybody|folks|guys|there|again|bot|fileferry|friend|buddy|mate|man|dude|pal|so much|a lot|a bunch|a million|very much|for (?:the|your|all the|that|this|everything|all)(?: \S+){0,3}|that(?:'s| is| was) (?:all|it|great|awesome|perfect|quick|fast|helpful|nice|cool|good|amazing|fine)(?: for now)?|it worked|that worked|works|works great|you too|u too|same|and|but|,|\.|!|\?|:|\)|\(|that|it|this|for now|today|\{time\}|you|u|really|very|\p{Extended_Pictographic}\S*)(?: |$)/uy;
/** Nothing but greetings, thanks, praise and the like. */
export const isSmalltalk = (line: string) => consistsOf(line, SMALL);

export const JOKE = any(
  'joke|jokes|funny|sing|poem|marry me|tell me (?:a story|something)|how are you|who made you|your name|your favou?rite|how old are you|are you (?:a )?(?:bot|human|robot|real|ai|sentient)|do you (?:like|love|dream|sleep)|made my day|life saver|lifesaver|you rock|well done|good job|great job|nice work|nice one|it worked|worked|works now|appreciate|copy that|love you|awesome|amazing',
  'thanks|thank you|cheers|thank',
);
