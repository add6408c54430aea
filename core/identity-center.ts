/** IAM Identity Center: people sign in themselves, in their browser, and their role's credentials are given out for it. */

import { GetRoleCredentialsCommand, SSOClient, UnauthorizedException } from '@aws-sdk/client-sso';
import {
  AuthorizationPendingException,
  CreateTokenCommand,
  InvalidClientException,
  RegisterClientCommand,
  SlowDownException,
  SSOOIDCClient,
  StartDeviceAuthorizationCommand,
} from '@aws-sdk/client-sso-oidc';
import type { Logger } from 'pino';
import { FerryError } from './errors.ts';
import type { Credentials } from './s3-credentials.ts';

/** What a person opens to sign in. */
export interface SignIn {
  /** Of AWS's own device page, with the code in it. */
  readonly url: string;
  /** What that page shows, so that the person can compare. */
  readonly code: string;
  /** Until when it can be used, epoch milliseconds. */
  readonly expiresAt: number;
}

export interface IdentityCenter {
  isSignedIn(userId: string): boolean;
  /**
   * Begins a sign-in, or gives back the one that is open. `done` resolves when the person has signed in, and rejects
   * with a FerryError `not_allowed` when they refused or let it lapse.
   *
   * @throws FerryError `unavailable`, `not_allowed`
   */
  signIn(userId: string): Promise<{ readonly signIn: SignIn; readonly done: Promise<void> }>;
  /**
   * Credentials of the configured account and role, for somebody who is signed in.
   *
   * @throws FerryError `not_allowed` when they are not, or not any more, or may not have the role; `unavailable`
   */
  roleCredentials(userId: string, signal: AbortSignal): Promise<Credentials>;
  /** Forgets all tokens and gives open sign-ins up. */
  close(): void;
}

export interface IdentityCenterOptions {
  readonly oidc: SSOOIDCClient;
  readonly sso: SSOClient;
  /** The AWS access portal, such as `https://example.awsapps.com/start`. */
  readonly startUrl: string;
  readonly accountId: string;
  /** Name of the permission set; it has to be read-only. */
  readonly roleName: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Waits between two questions whether the person has signed in. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}

/** https://datatracker.ietf.org/doc/html/rfc8628#section-3.5: how much slower after `slow_down`, and the usual pace. */
const SLOWER_MS = 5_000;
const USUAL_MS = 5_000;
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** Tokens and registrations are not used any more this long before they end. */
const LAST_MOMENT = 10_000;

interface Registration {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly expiresAt: number;
}
interface Open {
  readonly signIn: SignIn;
  readonly done: Promise<void>;
}

const refused = (userMessage: string, cause?: unknown) =>
  new FerryError('not_allowed', { userMessage, cause });

const NOT_SIGNED_IN = 'You are not signed in to AWS. Nothing was changed; please ask again and sign in.';

/** Only names and status: what AWS sends back may hold the token. */
function translated(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  const error = thrown as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = error.$metadata?.httpStatusCode ?? 0;
  const cause = { name: error.name, status };
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    return refused('IAM Identity Center does not give FileFerry what it needs to read S3 for you.', cause);
  }
  return new FerryError('unavailable', {
    retryable: true,
    userMessage: 'IAM Identity Center does not answer. Nothing is lost; it is tried again.',
    cause,
  });
}

export function createIdentityCenter(options: IdentityCenterOptions): IdentityCenter {
  const { oidc, sso, startUrl, accountId, roleName, now, pause, log } = options;
  /** In memory only: a process that ends has forgotten everybody. */
  const tokens = new Map<string, { readonly accessToken: string; readonly expiresAt: number }>();
  const open = new Map<string, Promise<Open>>();
  const closing = new AbortController();
  let registration: Registration | undefined;

  async function register(): Promise<Registration> {
    if (registration && now() < registration.expiresAt - LAST_MOMENT) return registration;
    const { clientId, clientSecret, clientSecretExpiresAt } = await oidc.send(
      new RegisterClientCommand({
        clientName: 'FileFerry',
        clientType: 'public',
        scopes: ['sso:account:access'],
      }),
    );
    if (!clientId || !clientSecret) throw new Error('RegisterClient answered without a client');
    registration = { clientId, clientSecret, expiresAt: (clientSecretExpiresAt ?? 0) * 1_000 };
    return registration;
  }

  /** Asks again and again, at the pace that the service wants, until the person has decided. */
  async function poll(
    userId: string,
    client: Registration,
    device: { readonly deviceCode: string; readonly expiresAt: number; readonly paceMs: number },
  ): Promise<void> {
    let pace = device.paceMs;
    for (;;) {
      await pause(pace, closing.signal);
      if (now() >= device.expiresAt) throw refused('The sign-in was not finished in time.');
      try {
        const { accessToken, expiresIn } = await oidc.send(
          new CreateTokenCommand({
            clientId: client.clientId,
            clientSecret: client.clientSecret,
            grantType: GRANT,
            deviceCode: device.deviceCode,
          }),
        );
        if (!accessToken) throw new Error('CreateToken answered without a token');
        tokens.set(userId, { accessToken, expiresAt: now() + (expiresIn ?? 0) * 1_000 });
        log.info({ user: userId, seconds: expiresIn }, 'signed in to IAM Identity Center');
        return;
      } catch (error) {
        if (error instanceof AuthorizationPendingException) continue;
        if (error instanceof SlowDownException) {
          pace += SLOWER_MS;
          continue;
        }
        const fault = translated(error);
        // An outage may pass while the person signs in.
        if (!fault.retryable) throw refused('The sign-in to AWS was refused or has lapsed.', fault.cause);
      }
    }
  }

  async function begin(userId: string): Promise<Open> {
    try {
      return await start(userId);
    } catch (error) {
      // A registration that the service has forgotten is made anew, once.
      if (!(error instanceof InvalidClientException)) throw translated(error);
      registration = undefined;
      return await start(userId).catch((again) => {
        throw translated(again);
      });
    }
  }

  async function start(userId: string): Promise<Open> {
    const client = await register();
    const device = await oidc.send(
      new StartDeviceAuthorizationCommand({
        clientId: client.clientId,
        clientSecret: client.clientSecret,
        startUrl,
      }),
    );
    const { deviceCode, userCode = '', verificationUri = '', verificationUriComplete, interval } = device;
    if (!deviceCode) throw new Error('StartDeviceAuthorization answered without a code');
    const expiresAt = now() + (device.expiresIn ?? 0) * 1_000;
    const paceMs = interval === undefined ? USUAL_MS : interval * 1_000;
    const done = poll(userId, client, { deviceCode, expiresAt, paceMs }).finally(() => open.delete(userId));
    // Whoever waits hears of it; nobody may be waiting.
    done.catch((err: unknown) => log.info({ err, user: userId }, 'a sign-in came to nothing'));
    return { signIn: { url: verificationUriComplete ?? verificationUri, code: userCode, expiresAt }, done };
  }

  function tokenOf(userId: string): string | undefined {
    const token = tokens.get(userId);
    if (token && now() < token.expiresAt - LAST_MOMENT) return token.accessToken;
    tokens.delete(userId);
    return undefined;
  }

  return {
    isSignedIn: (userId) => tokenOf(userId) !== undefined,

    signIn(userId) {
      const already = open.get(userId);
      if (already) return already;
      const beginning = begin(userId);
      open.set(userId, beginning);
      beginning.catch(() => open.delete(userId));
      return beginning;
    },

    async roleCredentials(userId, signal) {
      const accessToken = tokenOf(userId);
      if (!accessToken) throw refused(NOT_SIGNED_IN);
      try {
        const { roleCredentials: given } = await sso.send(
          new GetRoleCredentialsCommand({ accountId, roleName, accessToken }),
          { abortSignal: signal },
        );
        if (!given?.accessKeyId || !given.secretAccessKey || !given.sessionToken || !given.expiration) {
          throw new Error('GetRoleCredentials answered without credentials');
        }
        return {
          accessKeyId: given.accessKeyId,
          secretAccessKey: given.secretAccessKey,
          sessionToken: given.sessionToken,
          expiration: new Date(given.expiration),
        };
      } catch (error) {
        // Signed out in the portal, or by an administrator: they are asked to sign in again.
        if (error instanceof UnauthorizedException) {
          tokens.delete(userId);
          throw refused(NOT_SIGNED_IN);
        }
        throw translated(error);
      }
    },

    close() {
      closing.abort(
        new FerryError('unavailable', { retryable: true, userMessage: 'FileFerry is restarting.' }),
      );
      tokens.clear();
      oidc.destroy();
      sso.destroy();
    },
  };
}

/** The two clients of a process. */
export function createIdentityCenterClients(options: {
  region: string;
  oidcEndpoint?: string;
  ssoEndpoint?: string;
}): { oidc: SSOOIDCClient; sso: SSOClient } {
  const { region, oidcEndpoint, ssoEndpoint } = options;
  // Both take no signature: what opens them are the client's secret and the person's token.
  return {
    oidc: new SSOOIDCClient({ region, maxAttempts: 2, ...(oidcEndpoint ? { endpoint: oidcEndpoint } : {}) }),
    sso: new SSOClient({ region, maxAttempts: 2, ...(ssoEndpoint ? { endpoint: ssoEndpoint } : {}) }),
  };
}
