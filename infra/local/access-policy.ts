/** IAM policies, as far as the local stack needs them: parsed from JSON and asked about one action at a time. */
import { z } from 'zod';
import { READ_ONLY_ROLE } from '../schema/role.ts';

const oneOrMany = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany,
  Resource: oneOrMany,
  /** Operator, then condition key, then the values of which one has to match. */
  Condition: z.record(z.string(), z.record(z.string(), oneOrMany)).optional(),
});

const policySchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z
    .union([statementSchema, z.array(statementSchema).min(1)])
    .transform((value) => (Array.isArray(value) ? value : [value])),
});
export type AccessPolicy = z.infer<typeof policySchema>;
type Statement = z.infer<typeof statementSchema>;

/** Condition keys by lower-case name, such as `s3:prefix`; some, such as `aws:tagkeys`, have several values. */
type Context = Readonly<Record<string, string | readonly string[]>>;

export interface AccessQuestion {
  /** Such as `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*` for what has none. */
  readonly resource: string;
  readonly context?: Context;
}

/** The policy in a JSON text, or what is wrong with it. */
export function parseAccessPolicy(text: string): { policy: AccessPolicy } | { fault: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { fault: 'the policy is not valid JSON' };
  }
  const parsed = policySchema.safeParse(json);
  return parsed.success ? { policy: parsed.data } : { fault: z.prettifyError(parsed.error) };
}

/**
 * IAM's wildcards: `*` for any characters, `?` for one; `${*}`, `${?}` and `${$}` are the signs themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
function matches(pattern: string, value: string, ignoreCase = false): boolean {
  const source = pattern.replace(/\$\{([*?$])\}|[*?]|[.+^${}()|[\]\\]/g, (sign, literal?: string) => {
    if (literal) return `\\${literal}`;
    if (sign === '*') return '.*';
    return sign === '?' ? '.' : `\\${sign}`;
  });
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su').test(value);
}

/** Undefined for an operator that is not known here: the caller then takes the side of refusal. */
function conditionsHold(statement: Statement, context: Context): boolean | undefined {
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    for (const [name, values] of Object.entries(keys)) {
      const given = context[name.toLowerCase()];
      if (operator === 'ForAllValues:StringEquals') {
        // Holds of no value at all, too.
        const all = typeof given === 'string' ? [given] : (given ?? []);
        if (!all.every((one) => values.includes(one))) return false;
        continue;
      }
      const value = typeof given === 'object' ? given[0] : given;
      const ifExists = operator.endsWith('IfExists');
      if (value === undefined && ifExists) continue;
      switch (ifExists ? operator.slice(0, -'IfExists'.length) : operator) {
        case 'StringEquals':
          if (value === undefined || !values.includes(value)) return false;
          break;
        case 'StringLike':
          if (value === undefined || !values.some((pattern) => matches(pattern, value))) return false;
          break;
        default:
          return undefined;
      }
    }
  }
  return true;
}

function decides(statement: Statement, { action, resource, context = {} }: AccessQuestion): boolean {
  if (!statement.Action.some((pattern) => matches(pattern, action, true))) return false;
  if (!statement.Resource.some((pattern) => matches(pattern, resource))) return false;
  return conditionsHold(statement, context) ?? statement.Effect === 'Deny';
}

/**
 * Whether every policy allows it and none denies it: how a role's policy and a session policy combine.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function isAllowed(policies: readonly AccessPolicy[], question: AccessQuestion): boolean {
  return policies.every((policy) => {
    const deciding = policy.Statement.filter((statement) => decides(statement, question));
    return deciding.length > 0 && deciding.every((statement) => statement.Effect === 'Allow');
  });
}

/** May do everything: for seeding the demo's world. */
export const ADMIN_POLICY: AccessPolicy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }],
};

/** FileFerryReadOnlyRole's trust policy, whoever the caller is: to be asked about `sts:AssumeRole`. */
export const READ_ONLY_ROLE_TRUST: AccessPolicy = policySchema.parse({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Resource: '*',
    Condition: READ_ONLY_ROLE.trustConditions,
  },
});

/** May become the given role and nothing else. */
export const mayAssume = (roleArn: string): AccessPolicy => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: [roleArn] }],
});

/** May become the given role and add audit events, as the bot's and worker's own identities in the cloud. */
export const servicePolicy = (roleArn: string, auditBucket: string): AccessPolicy => ({
  Version: '2012-10-17',
  Statement: [
    ...mayAssume(roleArn).Statement,
    {
      Effect: 'Allow',
      Action: ['s3:PutObject'],
      Resource: ['bot', 'worker'].map((service) => `arn:aws:s3:::${auditBucket}/${service}/*`),
    },
  ],
});

/** FileFerryReadOnlyRole's policy over all local buckets. */
export const READ_ONLY_ROLE_POLICY: AccessPolicy = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: [...READ_ONLY_ROLE.bucketActions, ...READ_ONLY_ROLE.objectActions],
      Resource: ['arn:aws:s3:::*'],
    },
    { Effect: 'Deny', Action: [...READ_ONLY_ROLE.deniedActions], Resource: ['*'] },
  ],
};
