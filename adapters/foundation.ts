/** What the bot and the worker both stand on: the stores, the tickets, the cards and the queue, wired once. */
import type { Logger } from 'pino';
import type { AuditWriter } from '../core/audit.ts';
import { createAuditOutbox } from '../core/audit-outbox.ts';
import type { Config } from '../core/config.ts';
import { createDispatch, type Dispatch, type Dispatcher } from '../core/dispatch.ts';
import type { Checks } from '../core/health.ts';
import { createLearning, type Learning } from '../core/learning.ts';
import type { Measured, Metrics } from '../core/metrics.ts';
import { approverGroups, type RequestScope } from '../core/policy.ts';
import { createPolicyFile } from '../core/policy-file.ts';
import { createQueueClient, createTransferQueue, type TransferQueue } from '../core/queue.ts';
import { createAuditBucket } from '../core/s3-audit.ts';
import { createS3Access, createStsClient, type S3Access } from '../core/s3-credentials.ts';
import { createServiceNow, type ServiceNow } from '../core/servicenow.ts';
import type { ServiceNowAuth } from '../core/servicenow-auth.ts';
import { createSessions, type Sessions } from '../core/sessions.ts';
import { createDocumentClient, pingTables } from '../core/stores/client.ts';
import { createLearningStore } from '../core/stores/learning-store.ts';
import { createObjectStore, type ObjectStore } from '../core/stores/object-store.ts';
import { createSessionStore } from '../core/stores/session-store.ts';
import { createTransferStore, type TransferStore } from '../core/stores/transfer-store.ts';
import { createUserContextStore } from '../core/stores/user-context-store.ts';
import { createTickets, type Tickets } from '../core/tickets.ts';
import type { Transfer } from '../core/transfer.ts';
import { createTransferAuthority } from '../core/transfer-authority.ts';
import { loadScope } from '../core/transfer-scope.ts';
import { createAnnouncer } from './announcer.ts';
import type { ChatClients } from './chat-client.ts';
import { personalCredentials } from './personal-credentials.ts';
import { createSettler, type Settler } from './settle.ts';

/** The settings that both services have. */
export interface FoundationEnv {
  readonly AWS_REGION: string;
  readonly AWS_ENDPOINT_URL_DYNAMODB?: string | undefined;
  readonly AWS_ENDPOINT_URL_SQS?: string | undefined;
  readonly AWS_ENDPOINT_URL_S3?: string | undefined;
  readonly AWS_ENDPOINT_URL_STS?: string | undefined;
  readonly S3_FORCE_PATH_STYLE: boolean;
  readonly READ_ONLY_ROLE_ARN: string;
  readonly READ_ONLY_ROLE_EXTERNAL_ID?: string | undefined;
  readonly AUDIT_BUCKET?: string | undefined;
  readonly FILEFERRY_CONFIG: string;
  readonly TABLE_PREFIX: string;
  readonly QUEUE_URL: string;
  readonly LEASE_SECONDS: number;
  readonly S3_SESSION_RENEW_SECONDS: number;
  readonly IDENTITY_CENTER_START_URL?: string | undefined;
  readonly IDENTITY_CENTER_REGION?: string | undefined;
  readonly IDENTITY_CENTER_ACCOUNT_ID?: string | undefined;
  readonly IDENTITY_CENTER_ROLE?: string | undefined;
  readonly AWS_ENDPOINT_URL_SSO_OIDC?: string | undefined;
  readonly AWS_ENDPOINT_URL_SSO?: string | undefined;
  readonly SERVICENOW_URL: string;
  readonly SERVICENOW_USER?: string | undefined;
  readonly SERVICENOW_PASSWORD?: string | undefined;
  readonly SERVICENOW_CLIENT_ID?: string | undefined;
  readonly SERVICENOW_CLIENT_SECRET?: string | undefined;
}

export interface Foundation {
  readonly tables: {
    readonly client: ReturnType<typeof createDocumentClient>;
    readonly tablePrefix: string;
    readonly now: () => number;
  };
  readonly transfers: TransferStore;
  readonly objects: ObjectStore;
  readonly learning: Learning;
  readonly s3Access: S3Access;
  readonly sessions: Sessions;
  readonly serviceNow: ServiceNow;
  readonly tickets: Tickets;
  readonly settler: Settler;
  readonly queue: TransferQueue;
  readonly dispatch: Dispatch;
  readonly loadScope: (transfer: Transfer) => Promise<RequestScope>;
  /** Who may decide on a transfer, in words for people. */
  readonly approversOf: (transfer: Transfer) => Promise<readonly string[]>;
  /** Health checks of what is wired here, by the dependency's name. */
  readonly checks: Readonly<Record<'dynamodb' | 'sqs', () => Promise<unknown>>>;
  /** Health of what transfers wait for without being lost: told, but no reason to take no more. */
  readonly waitsFor: Checks;
}

function serviceNowAuth(env: FoundationEnv): ServiceNowAuth {
  const { SERVICENOW_CLIENT_ID: clientId, SERVICENOW_CLIENT_SECRET: clientSecret } = env;
  if (clientId && clientSecret) return { kind: 'oauth', clientId, clientSecret };
  return { kind: 'basic', user: env.SERVICENOW_USER ?? '', password: env.SERVICENOW_PASSWORD ?? '' };
}

const endpointOf = (endpoint: string | undefined) => (endpoint ? { endpoint } : {});

/** What an ended transfer adds to the metrics. */
function measuredOf({ status, plan, startedAt, endedAt }: Transfer): Measured {
  // The zero keeps an alarm on failures supplied with data.
  if (status !== 'completed') return { transferSuccess: 0, transferFailure: 1 };
  const seconds = ((endedAt ?? 0) - (startedAt ?? endedAt ?? 0)) / 1000;
  return {
    transferSuccess: 1,
    transferFailure: 0,
    bytesTransferred: plan.totalBytes,
    ...(seconds > 0 ? { throughput: plan.totalBytes / seconds } : {}),
  };
}

/** The tables of these settings. */
export function openTables(
  env: Pick<FoundationEnv, 'AWS_REGION' | 'AWS_ENDPOINT_URL_DYNAMODB' | 'TABLE_PREFIX'>,
  now: () => number,
): Foundation['tables'] {
  return {
    client: createDocumentClient({ region: env.AWS_REGION, ...endpointOf(env.AWS_ENDPOINT_URL_DYNAMODB) }),
    tablePrefix: env.TABLE_PREFIX,
    now,
  };
}

/**
 * @param by who stands in the history of what this process does by itself
 */
export function createFoundation(
  config: Config<FoundationEnv>,
  deps: {
    tables: Foundation['tables'];
    clients: ChatClients;
    log: Logger;
    now: () => number;
    by: Dispatcher;
    metrics: Metrics;
  },
): Foundation {
  const { env, policy } = config;
  const { tables, clients, log, now, metrics } = deps;
  const region = env.AWS_REGION;
  const writer: AuditWriter = deps.by === 'bot' ? 'bot' : 'worker';
  const transfers = createTransferStore({ ...tables, ...(env.AUDIT_BUCKET ? { audit: writer } : {}) });
  const objects = createObjectStore(tables);
  const learning = createLearning({
    transfers,
    store: createLearningStore(tables),
    now,
    ended: (transfer) => metrics.add(measuredOf(transfer)),
  });
  const serviceNow = createServiceNow({ url: env.SERVICENOW_URL, auth: serviceNowAuth(env), now, log });
  const tickets = createTickets({ serviceNow, policy, now, log });
  const scopeFor = (transfer: Transfer) => loadScope(objects, transfer);
  const sessions = createSessions({
    store: createSessionStore(tables),
    now,
    onLapsed: () => metrics.add({ ssoSessionExpired: 1 }),
  });
  const s3 = { region, ...endpointOf(env.AWS_ENDPOINT_URL_S3), forcePathStyle: env.S3_FORCE_PATH_STYLE };
  const externalId = env.READ_ONLY_ROLE_EXTERNAL_ID;
  const s3Access = createS3Access({
    sts: createStsClient({ region, ...endpointOf(env.AWS_ENDPOINT_URL_STS) }),
    sessions,
    policy,
    role: {
      arn: env.READ_ONLY_ROLE_ARN,
      ...(externalId ? { externalId } : {}),
    },
    authorize: createTransferAuthority({
      transfers,
      tickets,
      loadScope: scopeFor,
      policy: createPolicyFile(env.FILEFERRY_CONFIG, policy, log),
    }),
    ...personalCredentials(env, { clients, by: deps.by, now, log }),
    renewMs: env.S3_SESSION_RENEW_SECONDS * 1_000,
    s3,
    now,
    log,
  });
  const approversOf = async (transfer: Transfer) =>
    approverGroups(policy, transfer, await scopeFor(transfer));
  const outbox = createAuditOutbox({
    store: transfers,
    objects,
    bucket: env.AUDIT_BUCKET ? createAuditBucket({ ...s3, bucket: env.AUDIT_BUCKET }) : undefined,
    writer,
    now,
    log,
  });
  const contexts = createUserContextStore(tables);
  const settler = createSettler({
    store: transfers,
    syncTickets: (transfer) => tickets.syncTickets(transfer),
    syncCards: createAnnouncer({
      clients,
      objects,
      approversOf,
      wantsDirect: async (userId) =>
        (await contexts.get(userId)).preferences.notifications === 'direct message',
      now,
      log,
    }),
    listFiles: outbox.listFiles,
    syncAudit: outbox.bringIn,
    lockMs: env.LEASE_SECONDS * 1_000,
    now,
    log,
  });
  const queue = createTransferQueue({
    client: createQueueClient({ region, ...endpointOf(env.AWS_ENDPOINT_URL_SQS) }),
    queueUrl: env.QUEUE_URL,
    now,
    log,
  });
  return {
    tables,
    transfers,
    objects,
    learning,
    s3Access,
    sessions,
    serviceNow,
    tickets,
    settler,
    queue,
    dispatch: createDispatch({ transfers, queue, now, by: deps.by }),
    loadScope: scopeFor,
    approversOf,
    checks: { dynamodb: () => pingTables(tables), sqs: () => queue.ping() },
    waitsFor: { servicenow: (signal) => serviceNow.ping(signal) },
  };
}
