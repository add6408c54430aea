import { expect, it } from 'vitest';
import { fromTeams } from './errors.ts';
import { ConnectorFault, ConnectorTimeout } from './http.ts';

/** As Microsoft's login library throws it. */
const loginFault = (name: string, errorCode: string, status?: number) =>
  Object.assign(new Error(`${errorCode}: …`), { name, errorCode, ...(status && { status }) });

it.each([
  ['an expired client secret', loginFault('ServerError', 'invalid_client', 401), 'not_allowed', false],
  ['a login that is down', loginFault('ServerError', 'temporarily_unavailable', 503), 'unavailable', true],
  ['a login out of reach', loginFault('ClientAuthError', 'endpoints_resolution_error'), 'unavailable', true],
  ['a token that Teams refuses', new ConnectorFault(401, 'Unauthorized', undefined), 'not_allowed', false],
  ['too many calls', new ConnectorFault(429, 'TooManyRequests', 1_000), 'throttled', true],
  ['an outage', new ConnectorFault(503, undefined, undefined), 'unavailable', true],
  ['no answer', new ConnectorTimeout(undefined), 'timeout', true],
  ['a connection that was cut', new TypeError('fetch failed'), 'unavailable', true],
  ['somebody who blocked it', new ConnectorFault(403, 'MessageWritesBlocked', undefined), 'not_found', false],
  ['a message that is gone', new ConnectorFault(404, undefined, undefined), 'not_found', false],
  ['a card of a wrong form', new ConnectorFault(400, 'BadSyntax', undefined), 'internal', false],
])('%s', (_, thrown, code, retryable) => {
  expect(fromTeams(thrown)).toMatchObject({ code, retryable, cause: thrown });
});
