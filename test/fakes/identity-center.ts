/**
 * IAM Identity Center as a server of our own: the device flow of SSO OIDC and the portal's role credentials, with the
 * protocol's errors. People sign in by a call of the test.
 * https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/ and /PortalAPIReference/
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';
import type { AccessPolicy } from '../../infra/local/access-policy.ts';
import type { KeyRing } from '../../infra/local/key-ring.ts';
import { closeServer, type LocalServer, listenLocally } from '../../infra/local/listen.ts';

const INTERVAL = 5;
const CODE_SECONDS = 600;
const TOKEN_SECONDS = 3_600;
const ROLE_SECONDS = 3_600;

interface Device {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly expiresAt: number;
  state: 'pending' | 'allowed' | 'denied' | 'used';
  pace: number;
  askedAt: number;
}

class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string;

  constructor(status: number, type: string, code = 'invalid_request') {
    super(type);
    this.status = status;
    this.type = type;
    this.code = code;
  }
}

export interface FakeIdentityCenter extends LocalServer {
  /** Paths that were asked, in order. */
  readonly calls: readonly string[];
  /** The person with this code allows it in their browser, or refuses. */
  decide(userCode: string, outcome: 'allowed' | 'denied'): void;
  /** An administrator signs everybody out. */
  signOutAll(): void;
  /** The service forgets every registered client. */
  forgetClients(): void;
  /** The next answers are 503. */
  failNext(times: number): void;
}

export async function startIdentityCenter(options: {
  keys: KeyRing;
  startUrl: string;
  accountId: string;
  roleName: string;
  policy: AccessPolicy;
  now: () => number;
}): Promise<FakeIdentityCenter> {
  const { keys, now } = options;
  const clients = new Map<string, string>();
  const devices = new Map<string, Device>();
  const tokens = new Map<string, number>();
  const calls: string[] = [];
  let failing = 0;

  const clientOf = (given: { clientId: string; clientSecret: string }) => {
    if (clients.get(given.clientId) !== given.clientSecret) {
      throw new Refusal(401, 'InvalidClientException', 'invalid_client');
    }
  };
  const caller = z.looseObject({ clientId: z.string(), clientSecret: z.string() });

  function register(body: unknown) {
    const { clientType } = z.looseObject({ clientName: z.string(), clientType: z.string() }).parse(body);
    if (clientType !== 'public')
      throw new Refusal(400, 'InvalidClientMetadataException', 'invalid_client_metadata');
    const clientId = randomBytes(8).toString('hex');
    const clientSecret = randomBytes(16).toString('hex');
    clients.set(clientId, clientSecret);
    const issued = Math.floor(now() / 1_000);
    return { clientId, clientSecret, clientIdIssuedAt: issued, clientSecretExpiresAt: issued + 90 * 86_400 };
  }

  function authorize(body: unknown) {
    const { startUrl, ...client } = caller.extend({ startUrl: z.string() }).parse(body);
    clientOf(client);
    if (startUrl !== options.startUrl) throw new Refusal(400, 'InvalidRequestException');
    const deviceCode = randomBytes(12).toString('hex');
    const userCode = randomBytes(4).toString('hex').toUpperCase();
    const device: Device = {
      deviceCode,
      userCode,
      expiresAt: now() + CODE_SECONDS * 1_000,
      state: 'pending',
      pace: INTERVAL * 1_000,
      askedAt: now(),
    };
    devices.set(deviceCode, device);
    return {
      deviceCode,
      userCode,
      verificationUri: `${options.startUrl}/device`,
      verificationUriComplete: `${options.startUrl}/device?user_code=${userCode}`,
      expiresIn: CODE_SECONDS,
      interval: INTERVAL,
    };
  }

  function token(body: unknown) {
    const given = caller.extend({ grantType: z.string(), deviceCode: z.string() }).parse(body);
    clientOf(given);
    if (given.grantType !== 'urn:ietf:params:oauth:grant-type:device_code') {
      throw new Refusal(400, 'UnsupportedGrantTypeException', 'unsupported_grant_type');
    }
    const device = devices.get(given.deviceCode);
    if (!device || device.state === 'used') throw new Refusal(400, 'InvalidGrantException', 'invalid_grant');
    const since = now() - device.askedAt;
    device.askedAt = now();
    if (since < device.pace) {
      device.pace += 5_000;
      throw new Refusal(400, 'SlowDownException', 'slow_down');
    }
    if (now() >= device.expiresAt) throw new Refusal(400, 'ExpiredTokenException', 'expired_token');
    if (device.state === 'denied') throw new Refusal(400, 'AccessDeniedException', 'access_denied');
    if (device.state === 'pending')
      throw new Refusal(400, 'AuthorizationPendingException', 'authorization_pending');
    device.state = 'used';
    const accessToken = randomBytes(40).toString('base64url');
    tokens.set(accessToken, now() + TOKEN_SECONDS * 1_000);
    return { accessToken, tokenType: 'Bearer', expiresIn: TOKEN_SECONDS };
  }

  function credentials(url: URL, bearer: string) {
    if (now() >= (tokens.get(bearer) ?? 0)) throw new Refusal(401, 'UnauthorizedException');
    const account = url.searchParams.get('account_id');
    const role = url.searchParams.get('role_name');
    if (account !== options.accountId || role !== options.roleName) {
      throw new Refusal(403, 'ForbiddenException');
    }
    const arn = `arn:aws:sts::${account}:assumed-role/AWSReservedSSO_${role}/person`;
    const { accessKeyId, secretAccessKey, session } = keys.issue(arn, [options.policy], ROLE_SECONDS);
    return {
      roleCredentials: {
        accessKeyId,
        secretAccessKey,
        sessionToken: session.token,
        expiration: session.expiresAt,
      },
    };
  }

  async function answer(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://x');
    const body = await readText(request);
    calls.push(url.pathname);
    if (failing > 0) {
      failing -= 1;
      throw new Refusal(503, 'InternalServerException', 'server_error');
    }
    const json = () => JSON.parse(body || '{}') as unknown;
    switch (`${request.method} ${url.pathname}`) {
      case 'POST /client/register':
        return register(json());
      case 'POST /device_authorization':
        return authorize(json());
      case 'POST /token':
        return token(json());
      case 'GET /federation/credentials':
        return credentials(url, String(request.headers['x-amz-sso_bearer_token'] ?? ''));
      default:
        throw new Refusal(404, 'ResourceNotFoundException');
    }
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    answer(request)
      .then((result) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result)),
      )
      .catch((error: unknown) => {
        const { status, type, code } =
          error instanceof Refusal ? error : new Refusal(400, 'InvalidRequestException');
        response
          .writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type })
          .end(JSON.stringify({ error: code, error_description: type }));
      });
  });
  return {
    endpoint: await listenLocally(server),
    calls,
    decide(userCode, outcome) {
      const device = [...devices.values()].find((one) => one.userCode === userCode);
      if (!device) throw new Error(`no such code: ${userCode}`);
      device.state = outcome;
    },
    signOutAll: () => tokens.clear(),
    forgetClients: () => clients.clear(),
    failNext(times) {
      failing = times;
    },
    stop: () => closeServer(server),
  };
}
