/** Who may do what: pure questions to the policy, each answered for one person. Deny by default. */
import { type Person, trustedEmail } from './person.ts';
import type { Destination, PolicyConfig, Rule } from './policy-config.ts';
import { shownText } from './shown-text.ts';
import { sizeInWords } from './size-in-words.ts';
import type { Decision, Transfer } from './transfer.ts';

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const ALLOWED: Verdict = { allowed: true };
const refuse = (reason: string): Verdict => ({ allowed: false, reason });

/** What a request would touch, as far as the policy asks. */
export interface RequestScope {
  readonly bucket: string;
  /** Every key; or, before they are known, the prefix that all of them will begin with. */
  readonly keys: readonly string[];
  readonly destination: string;
  readonly totalBytes: number;
  readonly objectCount: number;
}

function inGroup(config: PolicyConfig, person: Person, group: string): boolean {
  const email = trustedEmail(person);
  const members = Object.hasOwn(config.groups, group) ? config.groups[group] : undefined;
  return (members ?? []).some((member) =>
    member.startsWith('email:')
      ? email !== undefined && member.slice(6).toLowerCase() === email
      : member === person.userId,
  );
}

const inAnyGroup = (config: PolicyConfig, person: Person, groups: readonly string[]) =>
  groups.some((group) => inGroup(config, person, group));

/** A rule's source covers a key: same bucket, and the key begins with the prefix behind the first slash. */
function covers(source: string, bucket: string, key: string): boolean {
  const slash = source.indexOf('/');
  if (slash < 0) return source === bucket;
  return source.slice(0, slash) === bucket && key.startsWith(source.slice(slash + 1));
}

const ruleCovers = (rule: Rule, bucket: string, key: string) =>
  rule.from.some((source) => covers(source, bucket, key));

/** Whether this account may use FileFerry at all. */
export function mayUse(config: PolicyConfig, person: Person): Verdict {
  if ((config.standings as readonly string[]).includes(person.standing)) return ALLOWED;
  return refuse(
    person.standing === 'deactivated'
      ? 'This account is deactivated.'
      : `FileFerry is not open to ${person.standing} accounts here.`,
  );
}

/** Buckets and prefixes that the person may see, as rules name them: `bucket` or `bucket/prefix`. */
export function readableSources(config: PolicyConfig, person: Person): string[] {
  if (!mayUse(config, person).allowed) return [];
  const rules = config.rules.filter((rule) => inAnyGroup(config, person, [...rule.request, ...rule.approve]));
  return [...new Set(rules.flatMap((rule) => rule.from))].sort();
}

/** Buckets of which the person may see at least a part. */
export function readableBuckets(config: PolicyConfig, person: Person): string[] {
  return [...new Set(readableSources(config, person).map((source) => source.split('/', 1)[0] ?? ''))];
}

/** Whether the person may see this key, or list this prefix; a prefix above a permitted one may be listed in part. */
export function mayRead(config: PolicyConfig, person: Person, bucket: string, key: string): Verdict {
  if (readableSources(config, person).some((source) => covers(source, bucket, key))) return ALLOWED;
  return refuse(`You may not read ${bucket}/${shownText(key)}, as far as FileFerry's policy says.`);
}

/** Destinations that the person may request transfers to. */
export function usableDestinations(config: PolicyConfig, person: Person): string[] {
  if (!mayUse(config, person).allowed) return [];
  const rules = config.rules.filter((rule) => inAnyGroup(config, person, rule.request));
  return [...new Set(rules.flatMap((rule) => rule.to))].sort();
}

/** A source and a destination that one rule lets the person request together, for examples; undefined without any. */
export function exampleRequest(
  config: PolicyConfig,
  person: Person,
): { readonly source: string; readonly destination: string } | undefined {
  if (!mayUse(config, person).allowed) return undefined;
  for (const rule of config.rules) {
    const [source] = rule.from;
    const [destination] = rule.to;
    if (source && destination && inAnyGroup(config, person, rule.request)) return { source, destination };
  }
  return undefined;
}

export function destinationOf(config: PolicyConfig, name: string): Destination | undefined {
  return Object.hasOwn(config.destinations, name) ? config.destinations[name] : undefined;
}

/** The rules that let this person send to this destination, keys and size aside. */
const rulesTo = (config: PolicyConfig, person: Person, destination: string) =>
  config.rules.filter((rule) => inAnyGroup(config, person, rule.request) && rule.to.includes(destination));

/** The rules of which each covers every key; none when there is no key. */
const coveringRules = (rules: readonly Rule[], scope: RequestScope) =>
  rules.filter(
    (rule) => scope.keys.length > 0 && scope.keys.every((key) => ruleCovers(rule, scope.bucket, key)),
  );

const byteLimit = (config: PolicyConfig, rule: Rule) =>
  Math.min(rule.maxBytes ?? config.limits.maxBytes, config.limits.maxBytes);

/** The rules that let this person request this, size included. */
function permittingRules(config: PolicyConfig, person: Person, scope: RequestScope): Rule[] {
  if (!mayUse(config, person).allowed || scope.objectCount > config.limits.maxObjects) return [];
  return coveringRules(rulesTo(config, person, scope.destination), scope).filter(
    (rule) => scope.totalBytes <= byteLimit(config, rule),
  );
}

export function mayRequest(config: PolicyConfig, person: Person, scope: RequestScope): Verdict {
  const use = mayUse(config, person);
  if (!use.allowed) return use;
  const candidates = rulesTo(config, person, scope.destination);
  const rules = coveringRules(candidates, scope);
  if (rules.length === 0) {
    const stray = scope.keys.find((key) => !candidates.some((rule) => ruleCovers(rule, scope.bucket, key)));
    return refuse(
      stray === undefined && scope.keys.length > 1
        ? `No single rule of the policy covers all of these files for ${scope.destination}; ask for them in separate transfers.`
        : `You may not send ${scope.bucket}/${shownText(stray ?? '')} to ${scope.destination}: no rule of the policy allows it.`,
    );
  }
  if (scope.objectCount > config.limits.maxObjects) {
    return refuse(
      `That is more than ${config.limits.maxObjects} files, the most that one transfer may have.`,
    );
  }
  const largest = Math.max(...rules.map((rule) => byteLimit(config, rule)));
  if (scope.totalBytes > largest) {
    return refuse(
      `That is more than ${sizeInWords(largest)}, the most that you may send to ${scope.destination} at once.`,
    );
  }
  return ALLOWED;
}

/**
 * Keys that stand for all that were added: one for each set of rules that covers any of them. The policy says the
 * same of them as of the whole list, which may be too long to be kept.
 */
export function keySample(config: PolicyConfig, bucket: string) {
  const samples = new Map<string, string>();
  let count = 0;
  return {
    add(key: string): void {
      count += 1;
      const covering = config.rules.map((rule) => (ruleCovers(rule, bucket, key) ? '1' : '0')).join('');
      if (!samples.has(covering)) samples.set(covering, key);
    },
    keys: () => [...samples.values()],
    /** How many were added. */
    count: () => count,
  };
}

/**
 * The scope that a stored transfer has for the policy.
 *
 * @param keys every key of the plan, as `loadScope` reads them, or what `keySample` keeps of them
 * @param count of the keys that were read: a decision on a part would let the rest pass
 * @throws Error when the keys are not all there: a defect, never an expected outcome
 */
export function scopeOf(
  transfer: Pick<Transfer, 'transferId' | 'plan'>,
  keys: readonly string[],
  count = keys.length,
): RequestScope {
  const { bucket, destination, totalBytes, objectCount } = transfer.plan;
  if (count !== objectCount) {
    throw new Error(`${transfer.transferId}: ${count} of ${objectCount} keys given to the policy`);
  }
  return { bucket, keys, destination, totalBytes, objectCount };
}

const isApprover = (config: PolicyConfig, person: Person, transfer: Transfer, scope: RequestScope) =>
  permittingRules(config, transfer.requester, scope).some((rule) => inAnyGroup(config, person, rule.approve));

/**
 * Whether the person may decide on this transfer: an approver of a rule that lets the requester ask, and not the
 * requester, by whatever account.
 *
 * @param nameOf what the directory of this account is called in a sentence about the requester, where anybody knows
 */
export function mayDecide(
  config: PolicyConfig,
  person: Person,
  transfer: Transfer,
  scope: RequestScope,
  nameOf: (userId: string) => string | undefined = () => undefined,
): Verdict {
  const { requester } = transfer;
  const use = mayUse(config, person);
  if (!use.allowed) return use;
  // The same address is enough to refuse, whoever wrote it there.
  if (isSamePerson(person, requester) || (person.email && sameText(person.email, requester.email))) {
    return refuse('You asked for this transfer, so somebody else has to decide on it.');
  }
  if (!isApprover(config, person, transfer, scope))
    return refuse('You are not among those who may approve this transfer.');
  if (directoryOf(person) === directoryOf(requester)) return ALLOWED;
  const nameless = [requester, person].find((one) => trustedEmail(one) === undefined);
  if (!nameless) return ALLOWED;
  const whose = nameless === requester ? 'the requester’s account' : 'your account here';
  const where = nameOf(requester.userId) ?? 'the requester’s directory';
  return refuse(
    `I cannot tell that you are not the requester: ${whose} has no email address that I may trust. Please decide with an account in ${where}, or leave it to somebody else.`,
  );
}

/** Platform and tenant, in which one person has one account. */
const directoryOf = ({ userId }: Person) => userId.split(':', 2).join(':');

const sameText = (a: string, b: string | undefined) => a.toLowerCase() === b?.toLowerCase();

/** Same account, or the same person on another platform by the email that both directories vouch for. */
export function isSamePerson(a: Person, b: Person): boolean {
  if (a.userId === b.userId) return true;
  const email = trustedEmail(a);
  return email !== undefined && email === trustedEmail(b);
}

/** Members who may decide on this transfer, as the policy writes them, for the card's "who can approve". */
export function approverGroups(
  config: PolicyConfig,
  transfer: Pick<Transfer, 'requester'>,
  scope: RequestScope,
): string[] {
  return [
    ...new Set(permittingRules(config, transfer.requester, scope).flatMap((rule) => rule.approve)),
  ].sort();
}

/** Whether the person may stop this transfer: the requester, or one of its approvers. */
export function mayCancel(
  config: PolicyConfig,
  person: Person,
  transfer: Transfer,
  scope: RequestScope,
): Verdict {
  const use = mayUse(config, person);
  if (!use.allowed) return use;
  if (isSamePerson(person, transfer.requester) || isApprover(config, person, transfer, scope)) return ALLOWED;
  return refuse('Only the requester or an approver may cancel this transfer.');
}

/** Whether the person may see this transfer: the requester, or one of its approvers. */
export const maySee = mayCancel;

/** How long an approval lasts, in milliseconds. */
export function approvalLifetime(config: PolicyConfig): number {
  return config.approval.expiresAfterHours * 3_600_000;
}

/** Whether an approval may still carry a run: same plan, and given within the approval's lifetime. */
export function approvalHolds(
  config: PolicyConfig,
  decision: Decision | undefined,
  planHash: string,
  now: number,
): boolean {
  return (
    decision?.outcome === 'approved' &&
    decision.planHash === planHash &&
    now < decision.at + approvalLifetime(config)
  );
}

/**
 * Whether anybody of this directory could decide on what the person asks for: those who have an account in the
 * requester's own, or, where the requester has an address to be told apart by, anybody else (`mayDecide`).
 *
 * @param directory platform and tenant, as `directoryOfThread` says it
 */
export function canBeDecidedIn(directory: string, requester: Person): boolean {
  return directoryOf(requester) === directory || trustedEmail(requester) !== undefined;
}
