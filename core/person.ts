/** A person as FileFerry knows them: identified by the platform's signed payload, never by what they type. */
import { z } from 'zod';

/**
 * What the platform says about the account. `guest`: invited to some channels only. `external`: of another
 * organisation (Slack Connect, Teams guest). `deactivated`: may no longer act. `bot`: not a person.
 */
export const standingSchema = z.enum(['member', 'guest', 'external', 'deactivated', 'bot']);
export type Standing = z.infer<typeof standingSchema>;

export const personSchema = z.strictObject({
  /** `platform:tenant:user`, such as `slack:T01FERRY:U01ANA`. */
  userId: z.string().min(1),
  /** Display name; untrusted text. */
  name: z.string(),
  /** Email as the platform's directory has it; absent when the scope or the person has none. See `trustedEmail`. */
  email: z.string().optional(),
  standing: standingSchema,
});
export type Person = z.infer<typeof personSchema>;

/**
 * The address, in lower case, by which the person may be known to the policy and on other platforms: a member's, for
 * guests' and strangers' addresses are what somebody else wrote. Adapters give none of an organisation that is not ours.
 */
export function trustedEmail({ email, standing }: Person): string | undefined {
  return standing === 'member' && email ? email.toLowerCase() : undefined;
}
