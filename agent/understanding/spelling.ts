/** Undoes slips of the keyboard in the words that carry a request, and only in those. */
import { editsBetween } from '../../core/edits-between.ts';

/** Words that are told apart by rules, so that a slip in them would cost the sentence. */
const TELLING =
  `send sending transfer transferred transferring transfers upload uploaded deliver delivered delivery forward
  cancel cancelled cancelling abort retry retrying restart status history progress update approve approved
  approving approval approver approvers approves authorize authorise release reject please could would should bucket buckets destination
  destinations target targets latest newest recent recently report reports file files folder everything yesterday
  tomorrow monday tuesday wednesday thursday friday saturday sunday pending failed password credentials access
  allowed permission denied finished complete completed available estimate predict previous instructions ignore
  deleted delete remove server servers download warehouse partner which where there about urgent priority before
  except without excluding content contents search modified changed happening running schedule week month again
  waiting another second third first thanks`.split(/\s+/);

/** English words one slip away from a telling one. */
const INNOCENT = new Set(
  `sends spending ending bending sent lending tending fire fires fill fills filed fine five film tile while whose
  these those three their every very write writes wrote mouth moth meek weak work wake word worth report
  aprove sever severe several serve serves serving fortune thirst birth access assess excess
  reply relay rely ready entry early history story target carried transfer reaches reach ache forwards
  folded holder older golder reject project subject object eject elect select prefect perfect
  pocket packet rocket socket basket
  release lease please pleased increase leave leaves tease ease because
  status states statue station static stats state stated
  update updates upgrade date dates ate
  month months week weeks weekly
  would could should cold old bold mould
  change changes charged charge chance chanced
  thank tank tanks think thinks thing things
  about above bout abort shout
  where were here there wheres when then than
  first fist fast most must cost post
  second seconds record reward
  again against gain
  which witch with watch
  before below
  latest later lasted largest lates
  newest news
  recent decent resent
  wait waited awaiting
  deleted delivered
  cancelled called
  downloads download downloaded uploads loaded load reload
  partners parter warehouses ranging running runner
  another other others mother
  contents content contest context contract consent consents
  files`.split(/\s+/),
);

/** What people really write for these words, beyond single slips. */
const SHORT = new Map<string, string>(
  Object.entries({
    u: 'you',
    ur: 'your',
    r: 'are',
    pls: 'please',
    plz: 'please',
    plse: 'please',
    pleas: 'please',
    plss: 'please',
    thx: 'thanks',
    thnx: 'thanks',
    tnx: 'thanks',
    ty: 'thanks',
    tks: 'thanks',
    cud: 'could',
    wud: 'would',
    wanna: 'want',
    gimme: 'give',
    lemme: 'let',
    xfer: 'transfer',
    tx: 'transfer',
    trf: 'transfer',
    snd: 'send',
    rety: 'retry',
    rtry: 'retry',
    retyr: 'retry',
    cancl: 'cancel',
    cncel: 'cancel',
    sned: 'send',
    sedn: 'send',
    sen: 'send',
    sed: 'send',
    semd: 'send',
    cpy: 'copy',
    copie: 'copy',
    coyp: 'copy',
    shwo: 'show',
    hsow: 'show',
    lsit: 'list',
    lst: 'list',
    lits: 'list',
    fiel: 'file',
    flie: 'file',
    fiels: 'files',
    fils: 'files',
    buket: 'bucket',
    bukets: 'buckets',
    dest: 'destination',
    dests: 'destinations',
    lastest: 'latest',
    lates: 'latest',
    latets: 'latest',
    wats: "what's",
    wat: 'what',
    wut: 'what',
    whats: "what's",
    wheres: "where's",
    hows: "how's",
    whos: "who's",
    whens: "when's",
    dont: "don't",
    doesnt: "doesn't",
    didnt: "didn't",
    cant: "can't",
    isnt: "isn't",
    hasnt: "hasn't",
    im: "i'm",
    ive: "i've",
    id: 'id',
    thats: "that's",
    pwd: 'password',
    passwd: 'password',
    pw: 'password',
    creds: 'credentials',
    tmrw: 'tomorrow',
    tmr: 'tomorrow',
    tomorow: 'tomorrow',
    yday: 'yesterday',
    ystd: 'yesterday',
    aprove: 'approve',
    aproved: 'approved',
    apprv: 'approve',
    becuase: 'because',
    teh: 'the',
    hte: 'the',
    adn: 'and',
    fo: 'of',
    frm: 'from',
    fromt: 'from',
    fomr: 'from',
    ot: 'to',
    thru: 'through',
    msg: 'message',
    hist: 'history',
    stat: 'info',
    stauts: 'status',
    wich: 'which',
    wen: 'when',
    aswell: 'also',
    abt: 'about',
    nvm: 'nevermind',
  }),
);

const KNOWN = new Set(TELLING);

const memory = new Map<string, string>();
const MAX_MEMORY = 5_000;

/** The word in lower case, as it was meant. */
export function respell(raw: string): string {
  const word = raw.toLowerCase().replaceAll('’', "'");
  const short = SHORT.get(word);
  if (short) return short;
  if (
    word.length < 5 ||
    word.length > 16 ||
    KNOWN.has(word) ||
    INNOCENT.has(word) ||
    !/^[a-z]+$/.test(word)
  ) {
    return word;
  }
  const before = memory.get(word);
  if (before) return before;
  const most = word.length >= 8 ? 2 : 1;
  let meant = word;
  let fewest = most + 1;
  for (const telling of TELLING) {
    // People seldom miss the first letter, and never the whole ending of a plural or past form.
    if (telling.length < 5 || telling[0] !== word[0]) continue;
    if (telling === `${word}s` || word === `${telling}s` || word === `${telling}d` || word === `${telling}ed`)
      continue;
    const edits = editsBetween(word, telling, most);
    if (edits < fewest) {
      fewest = edits;
      meant = telling;
    }
  }
  if (memory.size >= MAX_MEMORY) memory.clear();
  memory.set(word, meant);
  return meant;
}
