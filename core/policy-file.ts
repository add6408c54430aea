/** The policy as its file says now: a change of the file counts without a restart; a faulty change does not count. */
import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { readPolicy } from './config.ts';
import type { PolicyConfig } from './policy-config.ts';

/**
 * @param initial what was read at the start
 * @returns the policy now; looks at the file's time and size, and reads it only when they changed
 */
export function createPolicyFile(path: string, initial: PolicyConfig, log: Logger): () => PolicyConfig {
  let policy = initial;
  const stampOf = () => {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs}/${size}`;
  };
  let stamp: string | undefined;
  try {
    stamp = stampOf();
  } catch {
    // Read by other means: it cannot change.
  }
  return () => {
    try {
      const now = stampOf();
      if (now === stamp) return policy;
      stamp = now;
      policy = readPolicy(path);
      log.info({ path }, 'the policy file changed');
    } catch (err) {
      log.error({ err, path }, 'the policy file changed and cannot be read; the earlier policy stays');
    }
    return policy;
  };
}
