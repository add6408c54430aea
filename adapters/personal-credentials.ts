/** Wires IAM Identity Center, where the settings want it: people are asked to sign in by direct message. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FerryError } from '../core/errors.ts';
import { createIdentityCenter, createIdentityCenterClients } from '../core/identity-center.ts';
import type { PersonalCredentials } from '../core/s3-credentials.ts';
import { createSignInGate } from '../core/sign-in-gate.ts';
import type { Card } from './card.ts';
import { signedInCard, signInCard } from './cards/sign-in-card.ts';
import { type ChatClients, clientFor } from './chat-client.ts';
import type { FoundationEnv } from './foundation.ts';

/** @param deps.by the bot has people ask again; the worker, to whom nobody talks, waits for them */
export function personalCredentials(
  env: FoundationEnv,
  deps: { clients: ChatClients; by: 'bot' | 'worker' | 'reconciler'; now: () => number; log: Logger },
): { readonly personal?: PersonalCredentials } {
  const startUrl = env.IDENTITY_CENTER_START_URL;
  const { IDENTITY_CENTER_ACCOUNT_ID: accountId, IDENTITY_CENTER_ROLE: roleName } = env;
  if (!startUrl || !accountId || !roleName) return {};
  const { clients, now, log } = deps;

  async function tell(userId: string, card: Card, mark: string): Promise<void> {
    const client = clientFor(clients, userId);
    if (!client) {
      throw new FerryError('not_found', {
        userMessage: 'FileFerry cannot write to this person, so they cannot sign in to AWS.',
      });
    }
    const key = `sign-in/${createHash('sha256').update(`${userId}\n${mark}`).digest('hex').slice(0, 24)}`;
    await client.dm(userId, card, { key });
  }

  const center = createIdentityCenter({
    ...createIdentityCenterClients({
      region: env.IDENTITY_CENTER_REGION ?? env.AWS_REGION,
      ...(env.AWS_ENDPOINT_URL_SSO_OIDC ? { oidcEndpoint: env.AWS_ENDPOINT_URL_SSO_OIDC } : {}),
      ...(env.AWS_ENDPOINT_URL_SSO ? { ssoEndpoint: env.AWS_ENDPOINT_URL_SSO } : {}),
    }),
    startUrl,
    accountId,
    roleName,
    now,
    pause: (ms, signal) => delay(ms, undefined, { signal }),
    log,
  });
  const personal = createSignInGate({
    center,
    prompt: (userId, signIn) => tell(userId, signInCard(signIn), signIn.code),
    meanwhile:
      deps.by === 'bot' ? { askAgain: (userId) => tell(userId, signedInCard(), `done ${now()}`) } : 'wait',
    log,
  });
  return { personal };
}
