/** The access keys that the local AWS knows: long-term ones from the start, temporary ones as STS issues them. */
import { randomBytes } from 'node:crypto';
import type { AccessPolicy } from './access-policy.ts';

/** The account that every local ARN belongs to. */
export const LOCAL_ACCOUNT = '000000000000';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Who the key is, as GetCallerIdentity tells. */
  readonly arn: string;
  /** Every one of them has to allow a request. */
  readonly policies: readonly AccessPolicy[];
  /** Set for temporary keys only. */
  readonly session?: { readonly token: string; readonly expiresAt: number };
}

export interface KeyRing {
  readonly now: () => number;
  find(accessKeyId: string): AccessKey | undefined;
  /** Adds a long-term key with a fresh secret. */
  addUser(name: string, policy: AccessPolicy): AccessKey;
  /** Issues a temporary key of an assumed role. */
  issue(
    arn: string,
    policies: readonly AccessPolicy[],
    seconds: number,
  ): AccessKey & Required<Pick<AccessKey, 'session'>>;
}

/** Upper-case letters and digits, as access key ids have them. */
const keyId = (kind: 'AKIA' | 'ASIA') => `${kind}${randomBytes(8).toString('hex').toUpperCase()}`;
const secret = () => randomBytes(30).toString('base64');

/** @param now epoch milliseconds; temporary keys expire by it */
export function createKeyRing(now: () => number = Date.now): KeyRing {
  const keys = new Map<string, AccessKey>();
  const keep = <K extends AccessKey>(key: K): K => {
    keys.set(key.accessKeyId, key);
    return key;
  };
  return {
    now,
    find: (accessKeyId) => keys.get(accessKeyId),
    addUser: (name, policy) =>
      keep({
        accessKeyId: keyId('AKIA'),
        secretAccessKey: secret(),
        arn: `arn:aws:iam::${LOCAL_ACCOUNT}:user/${name}`,
        policies: [policy],
      }),
    issue: (arn, policies, seconds) =>
      keep({
        accessKeyId: keyId('ASIA'),
        secretAccessKey: secret(),
        arn,
        policies,
        session: { token: randomBytes(120).toString('base64'), expiresAt: now() + seconds * 1000 },
      }),
  };
}
