/** How FileFerry proves to ServiceNow who it is: a user with password, or an OAuth client of its own. */
import { z } from 'zod';
import { FerryError } from './errors.ts';
import type { Fault } from './servicenow-fault.ts';
import { type AttemptLimits, exchange, isFault } from './servicenow-http.ts';

export type ServiceNowAuth =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'oauth'; readonly clientId: string; readonly clientSecret: string };

export interface Authorizer {
  /** The value of the `Authorization` header, or why there is none. */
  header(limits: AttemptLimits): Promise<{ readonly value: string } | Fault>;
  /** Drops a header that ServiceNow refused; true when another one can be had. */
  refused(value: string): boolean;
}

const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,4096}$/),
  /** Seconds. */
  expires_in: z.coerce.number().positive(),
});

/** A token is renewed this long before it lapses, in milliseconds, so that none lapses on its way. */
const RENEW_EARLY = 60_000;

/**
 * @param base the instance's address
 */
export function createAuthorizer(
  auth: ServiceNowAuth,
  base: URL,
  fetcher: typeof fetch,
  now: () => number,
): Authorizer {
  if (auth.kind === 'basic') {
    const value = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
    return { header: async () => ({ value }), refused: () => false };
  }

  const { clientId, clientSecret } = auth;
  let token: { value: string; renewAt: number } | undefined;
  let fetching: Promise<{ value: string } | Fault> | undefined;

  /** Client credentials grant, https://www.rfc-editor.org/rfc/rfc6749#section-4.4, at ServiceNow's `/oauth_token.do`. */
  async function fetchToken(limits: AttemptLimits): Promise<{ value: string } | Fault> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    const outcome = await exchange(
      fetcher,
      {
        method: 'POST',
        url: new URL('oauth_token.do', base),
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: form.toString(),
      },
      limits,
      now,
    );
    // Whatever happened here, the operation that needs the token has not begun.
    if (isFault(outcome)) {
      const refusal = outcome.status !== undefined && outcome.status < 500 && !outcome.error.retryable;
      return { ...outcome, effect: 'no', ...(refusal && { error: clientRefused() }) };
    }
    const parsed = tokenSchema.safeParse(outcome.value);
    if (!parsed.success) return { error: clientRefused(), effect: 'no' };
    const lifetime = parsed.data.expires_in * 1_000;
    const value = `Bearer ${parsed.data.access_token}`;
    token = { value, renewAt: now() + Math.max(lifetime - RENEW_EARLY, lifetime / 2) };
    return { value };
  }

  return {
    header(limits) {
      if (token && now() < token.renewAt) return Promise.resolve({ value: token.value });
      fetching ??= fetchToken(limits).finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    refused(value) {
      if (token?.value === value) token = undefined;
      return true;
    },
  };
}

function clientRefused(): FerryError {
  return new FerryError('not_allowed', {
    userMessage:
      'ServiceNow gives FileFerry no OAuth token. Its operator has to check SERVICENOW_CLIENT_ID, SERVICENOW_CLIENT_SECRET and that the client credentials grant is switched on.',
  });
}
