/** Whether a person's own credentials can be had: asks them to sign in, and then waits for it, or has them ask again. */
import type { Logger } from 'pino';
import { unlessAborted } from './deadline.ts';
import { FerryError } from './errors.ts';
import type { IdentityCenter, SignIn } from './identity-center.ts';
import type { PersonalCredentials } from './s3-credentials.ts';
import { stopReason } from './stop-reason.ts';

export interface SignInGateOptions {
  readonly center: IdentityCenter;
  /** Shows the link to this person, where nobody else sees it. */
  readonly prompt: (userId: string, signIn: SignIn) => Promise<void>;
  /**
   * `wait`: until they have signed in, for a program that nobody talks to. `ask again`: the turn ends at once, and
   * they are told when it can be said again.
   */
  readonly meanwhile: 'wait' | { readonly askAgain: (userId: string) => Promise<void> };
  readonly log: Logger;
}

const FIRST = 'I need you to sign in to AWS first, and sent you the link directly. Then please ask again.';

export function createSignInGate(options: SignInGateOptions): PersonalCredentials {
  const { center, meanwhile, log } = options;
  /** Codes that were shown, by person. */
  const prompted = new Map<string, string>();

  async function show(userId: string, signIn: SignIn, done: Promise<void>): Promise<void> {
    if (prompted.get(userId) === signIn.code) return;
    prompted.set(userId, signIn.code);
    done
      .then(() => (meanwhile === 'wait' ? undefined : meanwhile.askAgain(userId)))
      .catch((err: unknown) => log.info({ err, user: userId }, 'nobody was told of the end of a sign-in'))
      .finally(() => prompted.delete(userId));
    try {
      await options.prompt(userId, signIn);
    } catch (error) {
      // Whoever asks next shows it again.
      prompted.delete(userId);
      throw error;
    }
  }

  return {
    async ready(userId, signal) {
      if (center.isSignedIn(userId)) return;
      const { signIn, done } = await center.signIn(userId);
      await show(userId, signIn, done);
      if (meanwhile !== 'wait') throw new FerryError('not_allowed', { userMessage: FIRST });
      try {
        await (signal ? unlessAborted(done, signal) : done);
      } catch (error) {
        if (signal?.aborted) throw stopReason(signal);
        if (error instanceof FerryError && error.retryable) throw error;
        throw new FerryError('not_allowed', {
          userMessage:
            'Nobody signed in to AWS for this in time, so nothing was read. The requester can press Retry and use the new link.',
          cause: error,
        });
      }
    },
    roleCredentials: (userId, signal) => center.roleCredentials(userId, signal),
    close: () => center.close(),
  };
}
