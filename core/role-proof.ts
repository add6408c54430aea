/** Whether the role that reads S3 can really not write: asked of IAM's policy simulator, where we may ask it. */
import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { Logger } from 'pino';
import { READ_ONLY_ROLE } from '../infra/schema/role.ts';

/** Actions that would change something; the simulator takes no wildcards. */
export const WRITE_ACTIONS = [
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:PutObjectAcl',
  's3:PutBucketPolicy',
  's3:DeleteBucket',
  's3:AbortMultipartUpload',
  's3:RestoreObject',
] as const;

export type RoleProof =
  /** The simulator says so, for every action that writes. */
  | { readonly outcome: 'read_only' }
  | { readonly outcome: 'can_write'; readonly actions: readonly string[] }
  /** We may not ask; the session policy of every grant allows reading only, whatever the role may. */
  | { readonly outcome: 'not_proven'; readonly reason: string };

/** How long an answer counts, in milliseconds. */
const KEEP_MS = 10 * 60_000;

/** @param options.now epoch milliseconds */
export function createRoleProof(options: {
  iam: IAMClient;
  roleArn: string;
  log: Logger;
  now: () => number;
}): (bucket: string, signal?: AbortSignal) => Promise<RoleProof> {
  const { iam, roleArn, log, now } = options;
  const partition = roleArn.split(':')[1] ?? 'aws';
  const known = new Map<string, { proof: RoleProof; until: number }>();

  async function simulate(bucket: string, signal?: AbortSignal): Promise<RoleProof> {
    const resource = `arn:${partition}:s3:::${bucket}`;
    try {
      const { EvaluationResults = [] } = await iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: roleArn,
          ActionNames: [...WRITE_ACTIONS],
          ResourceArns: [resource, `${resource}/*`],
          MaxItems: 1_000,
        }),
        { abortSignal: signal },
      );
      const actions = new Set(
        EvaluationResults.filter(({ EvalDecision }) => EvalDecision === 'allowed').map(
          ({ EvalActionName = '?' }) => EvalActionName,
        ),
      );
      const asked = new Set(EvaluationResults.map(({ EvalActionName }) => EvalActionName));
      if (actions.size > 0) return { outcome: 'can_write', actions: [...actions].sort() };
      return WRITE_ACTIONS.every((action) => asked.has(action))
        ? { outcome: 'read_only' }
        : { outcome: 'not_proven', reason: 'The policy simulator did not answer for every action.' };
    } catch (error) {
      signal?.throwIfAborted();
      log.info({ err: error, bucket }, 'the policy simulator does not answer');
      return {
        outcome: 'not_proven',
        reason: `FileFerry may not ask the policy simulator about ${READ_ONLY_ROLE.name}; its sessions are narrowed to reading all the same.`,
      };
    }
  }

  return async (bucket, signal) => {
    const earlier = known.get(bucket);
    if (earlier && now() < earlier.until) return earlier.proof;
    const proof = await simulate(bucket, signal);
    if (proof.outcome === 'can_write') {
      log.error({ bucket, actions: proof.actions, roleArn }, 'the role that should only read can write');
    }
    known.set(bucket, { proof, until: now() + KEEP_MS });
    return proof;
  };
}

/** The IAM client of a process. */
export const createIamClient = (options: { region: string; endpoint?: string }): IAMClient =>
  new IAMClient({ ...options, maxAttempts: 2 });
