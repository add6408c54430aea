/** The only way to S3: credentials of the read-only role, obtained within a valid session and kept in memory. */
import { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, PackedPolicyTooLargeException, STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Logger } from 'pino';
import { SESSION_TAGS } from '../infra/schema/role.ts';
import { FerryError } from './errors.ts';
import type { Person } from './person.ts';
import { readableSources } from './policy.ts';
import type { PolicyConfig } from './policy-config.ts';
import { translateStsError } from './s3-errors.ts';
import { type S3Reach, sessionPolicies } from './s3-session-policy.ts';
import type { Sessions } from './sessions.ts';
import type { SessionRecord } from './stores/session-store.ts';
import type { Transfer } from './transfer.ts';
import type { AuthorizeTransfer } from './transfer-authority.ts';

/** A client that reaches what it was opened for, for as long as it is open. */
export interface S3Grant {
  /** When each of its sessions was opened, in epoch milliseconds: one, and one more with each renewal. */
  readonly openedAt: readonly number[];
  readonly client: S3Client;
  /** Forgets the credentials; the client works no more. */
  close(): Promise<void>;
}

export interface S3Access {
  /** For looking around in one bucket, as far as the policy lets this person. @throws FerryError */
  forBrowse(person: Person, turnKey: string, bucket: string): Promise<S3Grant>;
  /**
   * For reading the objects of a transfer, in the requester's name.
   *
   * @param signal ends the wait for somebody to sign in
   * @param keys all keys of the plan; may be left out when the record itself has them all
   * @throws FerryError
   */
  forTransfer(transfer: Transfer, keys?: readonly string[], signal?: AbortSignal): Promise<S3Grant>;
  /** For looking at the objects of a transfer before it has tickets; as `forTransfer` otherwise. */
  forCheck(transfer: Transfer, keys?: readonly string[], signal?: AbortSignal): Promise<S3Grant>;
  /** Closes the connections that all grants share. */
  close(): void;
}

/** Credentials that a person brings along, instead of those of the read-only role. */
export interface PersonalCredentials {
  /**
   * Resolves when they can be had.
   *
   * @throws FerryError `not_allowed` when the person has to sign in first, or did not
   */
  ready(userId: string, signal?: AbortSignal): Promise<void>;
  /** @throws FerryError */
  roleCredentials(userId: string, signal: AbortSignal): Promise<Credentials>;
  close(): void;
}

export interface S3AccessOptions {
  readonly sts: STSClient;
  readonly sessions: Sessions;
  readonly policy: PolicyConfig;
  readonly role: {
    readonly arn: string;
    readonly externalId?: string;
  };
  readonly s3: { readonly region: string; readonly endpoint?: string; readonly forcePathStyle?: boolean };
  /** Instead of the role: STS is not asked then, and what is reached is what the person's own role reaches. */
  readonly personal?: PersonalCredentials;
  /** Asked before every session for a transfer, the first and each renewal. */
  readonly authorize?: AuthorizeTransfer;
  /** A grant that is in use opens a new session this often, in milliseconds; 5 minutes unless told. */
  readonly renewMs?: number;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The STS client of a process. */
export function createStsClient(options: { region: string; endpoint?: string }): STSClient {
  return new STSClient({
    region: options.region,
    maxAttempts: 3,
    ...(options.endpoint ? { endpoint: options.endpoint } : {}),
  });
}

type Holder = Omit<SessionRecord, 'expiresAt'>;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** The shortest that AssumeRole grants, in seconds. */
const ROLE_SECONDS = 900;
/** Credentials are renewed this long before they end at the latest, in milliseconds. */
const RENEW_BEFORE = 120_000;
const RENEW_MS = 5 * 60_000;
/** After a renewal that failed for a passing reason, the next is tried this much later, in milliseconds. */
const RENEW_AGAIN = 15_000;
/** Credentials are not used any more this long before they end, in milliseconds. */
const LAST_MOMENT = 15_000;
/** Connections at once, over all grants of a process. */
const MAX_SOCKETS = 128;

/** Sessions that one set of credentials may take. */
const SESSIONS = 3;

/**
 * A session that this process opened and never showed to anybody is gone when it is to be used: a database that
 * answers late used its time up, or the answer to its use was lost and the SDK asked again. No refusal.
 */
class Spent extends FerryError {
  constructor(bucket: string, cause: unknown) {
    super('unavailable', {
      retryable: true,
      userMessage: `The right to read ${bucket} ran out before it could be used. Nothing was changed; it can be tried again.`,
      cause,
    });
  }
}

/** `[\w+=,.@-]{2,64}`, as AssumeRole wants it; what CloudTrail shows for every read. */
export function roleSessionName(holder: Holder): string {
  const what = holder.purpose === 'transfer' ? holder.subject : 'browse';
  return `${what}@${holder.userId}`.replace(/[^A-Za-z0-9_+=,.@-]/g, '-').slice(0, 64);
}

/** Session tags take letters, digits, spaces and `_.:/=+-@`, at most 256 of them. */
const tagValue = (text: string) => text.replace(/[^A-Za-z0-9 _.:/=+@-]/g, '-').slice(0, 256);

/** What the keys of a plan need: the plan's own words where they are exact, its keys otherwise. */
function reachOf({ plan }: Transfer, keys: readonly string[] | undefined): S3Reach {
  if (plan.selection.kind === 'prefix') return { kind: 'prefixes', prefixes: [plan.selection.prefix] };
  if (keys) return { kind: 'keys', keys };
  if (plan.preview.length === plan.objectCount) {
    return { kind: 'keys', keys: plan.preview.map((object) => object.key) };
  }
  return { kind: 'prefixes', prefixes: [''] };
}

/** What a grant is asked for, anew at each renewal. */
interface Wish {
  /** Whose session: asks for the permission, which may have gone meanwhile. */
  readonly hold: () => Promise<Holder>;
  readonly bucket: string;
  readonly reach: S3Reach;
  readonly userId: string;
  /** Ends the wait for somebody to sign in. */
  readonly signal?: AbortSignal | undefined;
}

export function createS3Access(options: S3AccessOptions): S3Access {
  const { sts, sessions, role, log, now, renewMs = RENEW_MS } = options;
  const partition = role.arn.split(':')[1] ?? 'aws';
  const requestHandler = new NodeHttpHandler({
    connectionTimeout: 5_000,
    socketTimeout: 30_000,
    httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
  });

  /** Takes the role, within what is left of the session. */
  async function assumeRole(token: string, bucket: string, reach: S3Reach): Promise<Credentials> {
    const session = await sessions.useSession(token).catch((error: unknown) => {
      throw error instanceof FerryError && error.code === 'not_allowed' ? new Spent(bucket, error) : error;
    });
    const abortSignal = AbortSignal.timeout(Math.max(1, session.expiresAt - now()));
    if (options.personal) return options.personal.roleCredentials(session.userId, abortSignal);
    const policies = sessionPolicies(partition, bucket, reach);
    for (const [index, Policy] of policies.entries()) {
      try {
        const { Credentials: issued } = await sts.send(
          new AssumeRoleCommand({
            RoleArn: role.arn,
            RoleSessionName: roleSessionName(session),
            DurationSeconds: ROLE_SECONDS,
            Policy,
            ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
            Tags: [
              { Key: SESSION_TAGS.user, Value: tagValue(session.userId) },
              { Key: SESSION_TAGS.subject, Value: tagValue(session.subject) },
            ],
          }),
          { abortSignal },
        );
        if (!issued?.AccessKeyId || !issued.SecretAccessKey || !issued.SessionToken || !issued.Expiration) {
          throw new Error('AssumeRole answered without credentials');
        }
        return {
          accessKeyId: issued.AccessKeyId,
          secretAccessKey: issued.SecretAccessKey,
          sessionToken: issued.SessionToken,
          expiration: issued.Expiration,
        };
      } catch (error) {
        if (error instanceof PackedPolicyTooLargeException && index < policies.length - 1) continue;
        throw translateStsError(error, bucket);
      }
    }
    throw new Error('no session policy fits');
  }

  /** One session for one set of credentials, closed as soon as they are here. */
  async function obtainOnce({ hold, bucket, reach, userId, signal }: Wish): Promise<Credentials> {
    // Before the session is opened: people take longer to sign in than a session lives.
    await options.personal?.ready(userId, signal);
    const holder = await hold();
    const { token } = await sessions.openSession(holder);
    try {
      const credentials = await assumeRole(token, bucket, reach);
      const { purpose, subject } = holder;
      log.info({ user: userId, purpose, subject, bucket }, 'a session gave the right to read');
      return credentials;
    } finally {
      await sessions.closeSession(token).catch((error) => {
        // It ends by itself in seconds.
        log.warn({ err: error, purpose: holder.purpose, subject: holder.subject }, 'session not closed');
      });
    }
  }

  /** The same, with another permission and another session when one is spent before it could serve. */
  async function obtain(wish: Wish): Promise<Credentials> {
    for (let left = SESSIONS - 1; ; left -= 1) {
      try {
        return await obtainOnce(wish);
      } catch (error) {
        if (left === 0 || !(error instanceof Spent)) throw error;
        log.warn(
          { err: error, bucket: wish.bucket },
          'a session was spent before it could be used; opening another',
        );
      }
    }
  }

  async function grant(wish: Wish): Promise<S3Grant> {
    const { bucket } = wish;
    let current: Credentials | undefined;
    let renewAt = 0;
    let pending: Promise<Credentials> | undefined;
    let open = true;
    const openedAt: number[] = [];

    const credentials = async (): Promise<Credentials> => {
      if (!open) {
        throw new FerryError('not_allowed', {
          userMessage: `The right to read ${bucket} was given back. Nothing was changed; please ask again.`,
        });
      }
      if (current && now() < renewAt) return current;
      pending ??= obtain(wish)
        .then((issued) => {
          openedAt.push(now());
          return issued;
        })
        .finally(() => {
          pending = undefined;
        });
      const before = current;
      const fresh = await pending.catch((error: unknown) => {
        // An outage is no refusal: what we hold is good for a while, and the next read asks again.
        const lasts = before && now() < before.expiration.getTime() - LAST_MOMENT;
        if (!lasts || !(error instanceof FerryError) || !error.retryable) throw error;
        renewAt = now() + RENEW_AGAIN;
        return before;
      });
      if (fresh !== before) {
        renewAt = Math.min(now() + renewMs, fresh.expiration.getTime() - RENEW_BEFORE);
        if (open) current = fresh;
      }
      return fresh;
    };

    // At once, so that a refusal shows where access was asked for and not in the midst of a read.
    await credentials();
    return {
      openedAt,
      client: new S3Client({
        region: options.s3.region,
        ...(options.s3.endpoint === undefined ? {} : { endpoint: options.s3.endpoint }),
        forcePathStyle: options.s3.forcePathStyle ?? false,
        maxAttempts: 4,
        // Reckoning S3's CRC-64 in JavaScript costs 7 CPU seconds per GiB; we keep a CRC-32 of our own.
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestHandler,
        // Given out as expired, so that the SDK keeps no copy and asks here before every request.
        credentials: async () => ({ ...(await credentials()), expiration: new Date(0) }),
      }),
      async close() {
        open = false;
        current = undefined;
      },
    };
  }

  return {
    forBrowse(person, turnKey, bucket) {
      const prefixes = readableSources(options.policy, person)
        .filter((source) => source.split('/', 1)[0] === bucket)
        .map((source) => source.slice(bucket.length + 1));
      if (prefixes.length === 0) {
        return Promise.reject(
          new FerryError('not_allowed', { userMessage: `You may not look into ${bucket}, says the policy.` }),
        );
      }
      const reach: S3Reach = { kind: 'prefixes', prefixes: prefixes.includes('') ? [''] : prefixes };
      const holder: Holder = { userId: person.userId, purpose: 'browse', subject: turnKey };
      return grant({ hold: async () => holder, bucket, reach, userId: person.userId });
    },
    forTransfer(transfer, keys, signal) {
      const { requester, transferId, attempt } = transfer;
      const hold = async (): Promise<Holder> => {
        const ticket = await options.authorize?.(transfer);
        return {
          userId: requester.userId,
          purpose: 'transfer',
          subject: transferId,
          attempt,
          ...(ticket === undefined ? {} : { ticket }),
        };
      };
      const { bucket } = transfer.plan;
      const reach = reachOf(transfer, keys);
      return grant({ hold, bucket, reach, userId: requester.userId, signal });
    },
    forCheck(transfer, keys, signal) {
      const { requester, transferId, attempt } = transfer;
      const holder: Holder = {
        userId: requester.userId,
        purpose: 'browse',
        subject: `${transferId}/check/${attempt}`,
      };
      const { bucket } = transfer.plan;
      const reach = reachOf(transfer, keys);
      return grant({ hold: async () => holder, bucket, reach, userId: requester.userId, signal });
    },
    close() {
      options.personal?.close();
      requestHandler.destroy();
    },
  };
}
