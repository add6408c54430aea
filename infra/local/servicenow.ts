/** A small ServiceNow over HTTP for the local stack and the tests, with outages on demand. */
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Ask, createApi, type Reply, refusal } from './servicenow-api.ts';
import { newSysId, notesOf, type Row, type Tables } from './servicenow-table.ts';

/**
 * `down`: connections are cut without an answer and nothing is carried out. `503`, `429`: that answer, 429 with
 * `Retry-After`. `slow`: requests are carried out and answered when the outage ends, even if nobody waits any more.
 * `accept-then-drop`: a write is carried out and the connection cut instead of an answer; reads work.
 */
export type Outage = 'down' | '503' | '429' | 'slow' | 'accept-then-drop';

export interface LocalServiceNowOptions {
  /** A free one unless given. */
  readonly port?: number;
  /** Where the tables are kept between two starts; in memory only unless given. */
  readonly dataFile?: string;
  /** Names of the assignment groups that exist. */
  readonly groups?: readonly string[];
  /** Seconds that a 429 asks to wait; 1 unless given. */
  readonly retryAfterSeconds?: number;
  /** Seconds that an OAuth token lasts; 1,799 as in the base system unless given. */
  readonly tokenSeconds?: number;
  /** Whether closed and cancelled incidents refuse every change, as many instances are set up; true unless given. */
  readonly closedIsReadOnly?: boolean;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface LocalIncident {
  readonly sysId: string;
  readonly number: string;
  readonly state: string;
  readonly correlationId: string;
  readonly correlationDisplay: string;
  /** The group's name. */
  readonly assignmentGroup: string;
  readonly priority: string;
  readonly shortDescription: string;
  readonly description: string;
  readonly closeCode: string;
  readonly closeNotes: string;
  /** The journal, the oldest first. */
  readonly notes: readonly string[];
}

export interface LocalServiceNow {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The oldest first. */
  incidents(): LocalIncident[];
  /** Changes columns of an incident as an administrator would, whatever the rules. */
  change(number: string, columns: Row): void;
  /** Deletes an incident. */
  remove(number: string): void;
  /** Takes every OAuth token back. */
  revokeTokens(): void;
  /** Method and path, without query, of every request that arrived. */
  requests(): readonly string[];
  /**
   * Begins an outage, or ends it with `undefined`.
   *
   * @param requests after how many requests it ends by itself; never unless given
   */
  setOutage(kind: Outage | undefined, requests?: number): void;
  stop(): Promise<void>;
}

/** The assignment groups that exist unless others are named. */
const LOCAL_GROUPS = ['File Transfer', 'Compliance', 'Service Desk'] as const;

const MAX_BODY = 1 << 20;

export async function startServiceNow(options: LocalServiceNowOptions = {}): Promise<LocalServiceNow> {
  const { dataFile, now = Date.now, retryAfterSeconds = 1, tokenSeconds = 1_799 } = options;
  const account = {
    user: 'fileferry',
    password: 'local-password',
    clientId: 'fileferry-client',
    clientSecret: 'local-secret',
  };
  const tables = loadTables(dataFile, options.groups ?? LOCAL_GROUPS);
  const save = () => {
    if (!dataFile) return;
    writeFileSync(`${dataFile}.new`, JSON.stringify(tables));
    renameSync(`${dataFile}.new`, dataFile);
  };
  const { closedIsReadOnly = true } = options;
  const api = createApi({ account, tables, tokenSeconds, closedIsReadOnly, now, save });
  const seen: string[] = [];
  /** Settles when a slow spell ends. */
  let relief = Promise.withResolvers<void>();
  let outage: { readonly kind: Outage; left: number } | undefined;

  /** The outage that this request meets; the page for people works always. */
  function meet(path: string): Outage | undefined {
    if (path === '/' || !outage) return undefined;
    const { kind } = outage;
    outage.left -= 1;
    if (outage.left === 0) outage = undefined;
    return kind;
  }

  function serve(kind: Outage | undefined, slowSpell: Promise<void>, ask: Ask, res: ServerResponse): void {
    const read = ask.method === 'GET' || ask.url.pathname === '/oauth_token.do';
    if (kind === '503') {
      send(res, MAINTENANCE);
    } else if (kind === '429') {
      send(res, refusal(TOO_MANY, { 'retry-after': String(retryAfterSeconds) }));
    } else if (kind === 'slow') {
      void slowSpell.then(() => send(res, api.answer(ask)));
    } else if (kind === 'accept-then-drop' && !read) {
      api.answer(ask);
      res.destroy();
    } else {
      send(res, api.answer(ask));
    }
  }

  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', `http://${req.headers.host ?? 'localhost'}`);
    const method = req.method ?? 'GET';
    seen.push(`${method} ${url.pathname}`);
    const kind = meet(url.pathname);
    const slowSpell = relief.promise;
    const body = kind === 'down' ? undefined : await readBody(req);
    if (body === undefined) res.destroy();
    else serve(kind, slowSpell, { method, url, authorization: req.headers.authorization, body }, res);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  const incidentOf = (number: string): Row => {
    const row = tables.incident.find((incident) => incident.number === number);
    if (!row) throw new Error(`there is no incident ${number}`);
    return row;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...account,
    incidents: () => tables.incident.map((row) => localIncident(tables, row)),
    change(number, columns) {
      Object.assign(incidentOf(number), columns);
      save();
    },
    remove(number) {
      tables.incident.splice(tables.incident.indexOf(incidentOf(number)), 1);
      save();
    },
    revokeTokens: api.revokeTokens,
    requests: () => [...seen],
    setOutage(kind, requests = Number.POSITIVE_INFINITY) {
      outage = kind && { kind, left: requests };
      if (kind === 'slow') return;
      relief.resolve();
      relief = Promise.withResolvers();
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const TOO_MANY = { status: 429, message: 'Rate limit exceeded', detail: null } as const;
const MAINTENANCE: Reply = {
  status: 503,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>The instance is being maintained.</body></html>',
};

function send(res: ServerResponse, { status, headers, body }: Reply): void {
  res.writeHead(status, headers);
  res.end(body);
}

/** The body, or undefined when it is too long or was cut off. */
async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function localIncident(tables: Tables, row: Row): LocalIncident {
  const column = (name: string): string => row[name] ?? '';
  return {
    sysId: column('sys_id'),
    number: column('number'),
    state: column('state'),
    correlationId: column('correlation_id'),
    correlationDisplay: column('correlation_display'),
    assignmentGroup: tables.sys_user_group.find((group) => group.sys_id === row.assignment_group)?.name ?? '',
    priority: column('priority'),
    shortDescription: column('short_description'),
    description: column('description'),
    closeCode: column('close_code'),
    closeNotes: column('close_notes'),
    notes: notesOf(tables, row).map((entry) => entry.value ?? ''),
  };
}

function loadTables(dataFile: string | undefined, groups: readonly string[]): Tables {
  const tables: Tables =
    dataFile && existsSync(dataFile)
      ? (JSON.parse(readFileSync(dataFile, 'utf8')) as Tables)
      : { incident: [], sys_user_group: [], sys_journal_field: [] };
  for (const name of groups) {
    if (!tables.sys_user_group.some((group) => group.name === name)) {
      tables.sys_user_group.push({ sys_id: newSysId(), name, active: 'true' });
    }
  }
  return tables;
}
