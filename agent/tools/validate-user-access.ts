/** The tool `validate_user_access`: what the policy lets the asker do, and whether the role is read-only. */
import { z } from 'zod';
import { mayRead, mayRequest } from '../../core/policy.ts';
import { bucketName, destinationName } from './selection.ts';
import { data, defineTool, refused } from './tool.ts';

export const validateUserAccess = defineTool({
  name: 'validate_user_access',
  description:
    'Checks whether the person asking (nobody else) may read a bucket or a key, and may request sending it to a destination; also proves that FileFerry reads with a role that cannot write.',
  input: z.strictObject({
    bucket: bucketName,
    key: z.string().max(1_024).optional(),
    destination: destinationName.optional(),
  }),
  async run({ bucket, key = '', destination }, { deps, turn, signal }) {
    const read = mayRead(deps.policy, turn.person, bucket, key);
    const send =
      destination === undefined
        ? undefined
        : mayRequest(deps.policy, turn.person, {
            bucket,
            keys: [key],
            destination,
            totalBytes: 0,
            objectCount: 1,
          });
    // Only for a bucket that they may read: others do not exist for them.
    const role = read.allowed ? await deps.roleProof?.(bucket, signal) : undefined;
    if (role?.outcome === 'can_write') {
      return refused(
        `FileFerry's role can write to ${bucket} (${role.actions.join(', ')}), which it must not. Nothing should be sent from there until its administrators have put that right.`,
      );
    }
    return data({ read, send, role });
  },
});
