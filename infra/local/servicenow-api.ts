/** The local ServiceNow's answers: account and OAuth, the Table API, and the page for people. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { renderPage } from './servicenow-page.ts';
import {
  isRefusal,
  type Refusal,
  type Row,
  render,
  select,
  type TableName,
  type Tables,
  writeIncident,
} from './servicenow-table.ts';

export interface Ask {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface ApiOptions {
  readonly account: Account;
  readonly tables: Tables;
  /** Seconds that an OAuth token lasts. */
  readonly tokenSeconds: number;
  readonly closedIsReadOnly: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called after every change. */
  readonly save: () => void;
}

export interface Api {
  answer(ask: Ask): Reply;
  revokeTokens(): void;
}

export function createApi(options: ApiOptions): Api {
  const { account, tables, tokenSeconds, closedIsReadOnly, now, save } = options;
  /** Tokens with the time at which they lapse. */
  const tokens = new Map<string, number>();

  function authorized(header: string | undefined): boolean {
    if (header?.startsWith('Bearer ')) return (tokens.get(header.slice(7)) ?? 0) > now();
    const expected = `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`;
    return same(header ?? '', expected);
  }

  function token(body: string): Reply {
    const form = new URLSearchParams(body);
    const known =
      form.get('grant_type') === 'client_credentials' &&
      same(form.get('client_id') ?? '', account.clientId) &&
      same(form.get('client_secret') ?? '', account.clientSecret);
    if (!known) return json(401, { error: 'server_error', error_description: 'access_denied' });
    const value = randomBytes(32).toString('base64url');
    tokens.set(value, now() + tokenSeconds * 1_000);
    return json(200, {
      access_token: value,
      scope: 'useraccount',
      token_type: 'Bearer',
      expires_in: tokenSeconds,
    });
  }

  function read(table: TableName, found: Row | undefined, parameters: URLSearchParams): Reply {
    if (found) return json(200, { result: render(tables, table, found, parameters) });
    const rows = select(tables[table], parameters.get('sysparm_query') ?? '');
    const offset = Number(parameters.get('sysparm_offset') ?? 0);
    const page = rows.slice(offset, offset + Number(parameters.get('sysparm_limit') ?? 10_000));
    return json(
      200,
      { result: page.map((row) => render(tables, table, row, parameters)) },
      { 'x-total-count': String(rows.length) },
    );
  }

  function write(found: Row | undefined, { url, body }: Ask): Reply {
    const input = parseObject(body);
    if (!input) return refusal(UNREADABLE);
    const byName = url.searchParams.get('sysparm_input_display_value') === 'true';
    if (closedIsReadOnly && (found?.state === '7' || found?.state === '8')) return refusal(READ_ONLY);
    const row = writeIncident(tables, found, input, byName, { user: account.user, now: now() });
    if (isRefusal(row)) return refusal(row);
    save();
    const location = `${url.origin}/api/now/table/incident/${row.sys_id}`;
    const result = { result: render(tables, 'incident', row, url.searchParams) };
    return found ? json(200, result) : json(201, result, { location });
  }

  function serveTable(ask: Ask): Reply {
    const { method, url } = ask;
    const [, name, sysId] = TABLE_PATH.exec(url.pathname) ?? [];
    if (name === undefined) return refusal(NO_RESOURCE);
    if (!Object.hasOwn(tables, name)) {
      return refusal({ status: 400, message: `Invalid table ${name}`, detail: null });
    }
    const table = name as TableName;
    const found = sysId === undefined ? undefined : tables[table].find((row) => row.sys_id === sysId);
    if (sysId !== undefined && !found) return refusal(NO_RECORD);
    if (method === 'GET') return read(table, found, url.searchParams);
    const fits = found ? method === 'PATCH' || method === 'PUT' : method === 'POST';
    if (table !== 'incident' || !fits) return refusal(NO_METHOD);
    return write(found, ask);
  }

  return {
    revokeTokens: () => tokens.clear(),
    answer(ask) {
      const { method, url } = ask;
      if (url.pathname === '/' && method === 'GET') return { ...PAGE, body: renderPage(tables) };
      if (url.pathname === '/oauth_token.do' && method === 'POST') return token(ask.body);
      if (!authorized(ask.authorization)) return refusal(UNAUTHENTICATED, CHALLENGE);
      return serveTable(ask);
    },
  };
}

const TABLE_PATH = /^\/api\/now\/(?:v\d\/)?table\/([^/]+)(?:\/([^/]+))?$/;
const PAGE = {
  status: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  },
} as const;
const CHALLENGE = { 'www-authenticate': 'BASIC realm="Service-now"' } as const;
const UNAUTHENTICATED: Refusal = {
  status: 401,
  message: 'User Not Authenticated',
  detail: 'Required to provide Auth information',
};
const NO_RECORD: Refusal = {
  status: 404,
  message: 'No Record found',
  detail: "Record doesn't exist or ACL restricts the record retrieval",
};
const NO_RESOURCE: Refusal = {
  status: 400,
  message: 'Requested URI does not represent any resource',
  detail: null,
};
const READ_ONLY: Refusal = {
  status: 403,
  message: 'Operation Failed',
  detail: 'ACL Exception Update Failed due to security constraints',
};
const NO_METHOD: Refusal = { status: 405, message: 'Method not supported', detail: null };
const UNREADABLE: Refusal = {
  status: 400,
  message: 'Exception while reading request',
  detail: 'The payload is not valid JSON.',
};

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** ServiceNow's error form. */
export function refusal(
  { status, message, detail }: Refusal,
  headers?: Readonly<Record<string, string>>,
): Reply {
  return json(status, { error: { message, detail }, status: 'failure' }, headers);
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
