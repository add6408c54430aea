/** The only speaker to ServiceNow: incidents over the Table API, `/api/now/table/incident`. */
import type { Logger } from 'pino';
import type { z } from 'zod';
import { FerryError } from './errors.ts';
import { createAuthorizer, type ServiceNowAuth } from './servicenow-auth.ts';
import {
  type AttemptLimits,
  exchange,
  type HttpOptions,
  isFault,
  type Operation,
  type Outcome,
  perform,
} from './servicenow-http.ts';
import {
  byAge,
  groupList,
  INCIDENT_FIELDS,
  type Incident,
  type IncidentFields,
  incidentAnswer,
  incidentList,
  parseAnswer,
  queryValue,
  SYS_ID,
  unknownAnswer,
} from './servicenow-incident.ts';
import { plainText } from './shown-text.ts';

export interface ServiceNowOptions {
  /** The instance, such as `https://example.service-now.com`. */
  readonly url: string;
  readonly auth: ServiceNowAuth;
  readonly fetch?: typeof fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** Longest wait for one answer, in milliseconds; 4,000 unless told. */
  readonly timeoutMs?: number;
  /** Longest time for one call with its repeats, in milliseconds; 10,000 unless told. */
  readonly totalMs?: number;
  /** Most tries for one call; 4 unless told. */
  readonly attempts?: number;
  readonly wait?: HttpOptions['wait'];
  readonly random?: () => number;
}

/**
 * Every method throws a FerryError: `throttled`, `unavailable` and `timeout` are retryable; `not_allowed`,
 * `not_found` and `bad_input` need the operator. A write that failed retryably may have taken effect: look before
 * doing it again.
 */
export interface ServiceNow {
  /** The oldest incident with this correlation id. */
  findByCorrelation(correlationId: string, signal?: AbortSignal): Promise<Incident | undefined>;
  /** All incidents with this correlation id, the oldest first. */
  listByCorrelation(correlationId: string, signal?: AbortSignal): Promise<Incident[]>;
  /** The incident, or undefined when it is gone or hidden. */
  get(sysId: string, signal?: AbortSignal): Promise<Incident | undefined>;
  /** Creates an incident; a repeat looks first whether the correlation id is there already. */
  create(
    fields: IncidentFields & { readonly correlation_id: string },
    signal?: AbortSignal,
  ): Promise<Incident>;
  /**
   * Changes an incident. With `work_notes`, a repeat looks first whether `correlation_display` has the new value
   * already; without a new `correlation_display` such a patch is not repeated.
   */
  patch(sysId: string, fields: IncidentFields, signal?: AbortSignal): Promise<Incident>;
  /** Asks for one record, once and without repeats: resolves when address, account and role are right. */
  ping(signal?: AbortSignal): Promise<void>;
}

/** @throws Error when the address is no http(s) address or holds credentials */
export function createServiceNow(options: ServiceNowOptions): ServiceNow {
  const base = new URL(options.url.endsWith('/') ? options.url : `${options.url}/`);
  // fetch would quote them in its error.
  if (base.username || base.password) throw new Error('SERVICENOW_URL must not hold a user or password.');
  const fetcher = options.fetch ?? fetch;
  const { now } = options;
  const http: HttpOptions = {
    fetch: fetcher,
    now,
    log: options.log,
    timeoutMs: options.timeoutMs ?? 4_000,
    totalMs: options.totalMs ?? 10_000,
    attempts: options.attempts ?? 4,
    ...(options.wait && { wait: options.wait }),
    ...(options.random && { random: options.random }),
  };
  const authorizer = createAuthorizer(options.auth, base, fetcher, now);
  const groupIds = new Map<string, string>();

  /** One authorized request; a refused OAuth token is replaced once. */
  async function request(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    query: Readonly<Record<string, string>>,
    body: IncidentFields | undefined,
    limits: AttemptLimits,
  ): Promise<Outcome<unknown>> {
    const url = new URL(`api/now/table/${path}`, base);
    url.search = new URLSearchParams({ ...query, sysparm_exclude_reference_link: 'true' }).toString();
    for (let second = false; ; second = true) {
      const authorization = await authorizer.header(limits);
      if ('error' in authorization) return authorization;
      const outcome = await exchange(
        fetcher,
        {
          method,
          url,
          headers: {
            authorization: authorization.value,
            accept: 'application/json',
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
        },
        limits,
        now,
      );
      const stale = isFault(outcome) && outcome.status === 401 && !second;
      if (!stale || !authorizer.refused(authorization.value)) return outcome;
    }
  }

  async function read<T>(
    name: string,
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const attempt = (limits: AttemptLimits) => request('GET', path, query, undefined, limits);
    return parseAnswer(schema, await perform({ name, repeat: 'freely', signal, attempt }, http));
  }

  const correlationQuery = (correlationId: string) => ({
    sysparm_query: `correlation_id=${queryValue(correlationId)}^ORDERBYsys_created_on`,
    sysparm_fields: INCIDENT_FIELDS,
    sysparm_limit: '20',
  });
  /** The incidents asked for, the oldest first. An instance drops a condition that it cannot read and sends every incident. */
  const matching = (found: readonly Incident[], correlationId: string): Incident[] => {
    const wanted = found.filter((incident) => incident.correlationId === correlationId);
    if (wanted.length < found.length) throw unknownAnswer();
    return wanted.sort(byAge);
  };

  /** A reference field stores what it is given, also a name that leads nowhere, so names are resolved first. */
  async function groupId(group: string, signal: AbortSignal | undefined): Promise<string> {
    if (SYS_ID.test(group)) return group;
    const known = groupIds.get(group);
    if (known) return known;
    const query = {
      sysparm_query: `name=${queryValue(group)}`,
      sysparm_fields: 'sys_id,name',
      sysparm_limit: '20',
    };
    const found = await read('find group', 'sys_user_group', query, groupList, signal);
    const id = found.find((row) => row.name === group)?.sys_id;
    if (!id) {
      throw new FerryError('not_found', {
        userMessage: `ServiceNow has no assignment group “${plainText(group, 80)}”. FileFerry's operator has to correct servicenow.userGroup or servicenow.auditGroup.`,
      });
    }
    groupIds.set(group, id);
    return id;
  }

  async function resolved<F extends IncidentFields>(fields: F, signal: AbortSignal | undefined): Promise<F> {
    if (fields.assignment_group === undefined) return fields;
    return { ...fields, assignment_group: await groupId(fields.assignment_group, signal) };
  }

  const asIncident = (outcome: Outcome<unknown>): Outcome<Incident> =>
    isFault(outcome) ? outcome : { value: parseAnswer(incidentAnswer, outcome.value) };

  async function listByCorrelation(correlationId: string, signal?: AbortSignal): Promise<Incident[]> {
    const query = correlationQuery(correlationId);
    return matching(await read('find incident', 'incident', query, incidentList, signal), correlationId);
  }

  return {
    listByCorrelation,
    async findByCorrelation(correlationId, signal) {
      return (await listByCorrelation(correlationId, signal))[0];
    },
    async get(sysId, signal) {
      try {
        const query = { sysparm_fields: INCIDENT_FIELDS };
        return await read('get incident', incidentPath(sysId), query, incidentAnswer, signal);
      } catch (error) {
        if (error instanceof FerryError && error.code === 'not_found') return undefined;
        throw error;
      }
    },
    async create(given, signal) {
      const fields = await resolved(given, signal);
      const query = correlationQuery(fields.correlation_id);
      const operation: Operation<Incident> = {
        name: 'create incident',
        repeat: 'after-look',
        signal,
        attempt: async (limits) =>
          asIncident(await request('POST', 'incident', { sysparm_fields: INCIDENT_FIELDS }, fields, limits)),
        async landed(limits) {
          const outcome = await request('GET', 'incident', query, undefined, limits);
          if (isFault(outcome)) return outcome;
          const [found] = matching(parseAnswer(incidentList, outcome.value), fields.correlation_id);
          return found && { value: found };
        },
      };
      return perform(operation, http);
    },
    async patch(sysId, given, signal) {
      const path = incidentPath(sysId);
      const fields = await resolved(given, signal);
      const query = { sysparm_fields: INCIDENT_FIELDS };
      const marked = fields.correlation_display !== undefined ? 'after-look' : 'unsent-only';
      const operation: Operation<Incident> = {
        name: 'change incident',
        repeat: fields.work_notes === undefined ? 'freely' : marked,
        signal,
        attempt: async (limits) => asIncident(await request('PATCH', path, query, fields, limits)),
        async landed(limits) {
          const outcome = asIncident(await request('GET', path, query, undefined, limits));
          const arrived = isFault(outcome) || outcome.value.correlationDisplay === fields.correlation_display;
          return arrived ? outcome : undefined;
        },
      };
      return perform(operation, http);
    },
    async ping(signal) {
      const query = { sysparm_fields: 'sys_id', sysparm_limit: '1' };
      await perform(
        {
          name: 'ping',
          repeat: 'freely',
          signal,
          attempt: (limits) => request('GET', 'incident', query, undefined, limits),
        },
        { ...http, attempts: 1 },
      );
    },
  };
}

function incidentPath(sysId: string): string {
  if (SYS_ID.test(sysId)) return `incident/${sysId}`;
  throw new FerryError('bad_input', {
    userMessage: `“${plainText(sysId, 80)}” is no sys_id of ServiceNow.`,
  });
}
