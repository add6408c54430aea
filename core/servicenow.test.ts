/** The ServiceNow client: what it sends, when it repeats, and how it words what went wrong. */
import nock from 'nock';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FerryError } from './errors.ts';
import { createServiceNow, type ServiceNow, type ServiceNowOptions } from './servicenow.ts';

const URL_ = 'https://example.service-now.com';
const PATH = '/api/now/table/incident';
const SYS_ID = 'a'.repeat(32);
const GROUP_ID = 'b'.repeat(32);
const START = Date.UTC(2026, 0, 1);
const ID = 'TRF-0123456789:user';

const row = (changes: Record<string, string> = {}) => ({
  sys_id: SYS_ID,
  number: 'INC0010001',
  state: '1',
  correlation_id: ID,
  correlation_display: 'FileFerry TRF-0123456789 #0',
  sys_created_on: '2026-01-01 00:00:00',
  ...changes,
});
const failure = (message: string, detail: string | null = null) => ({
  error: { message, detail },
  status: 'failure',
});

let clock: number;
let waits: number[];
let logged: string;

/** A client whose waits take no time but move its clock. */
function client(options: Partial<ServiceNowOptions> = {}): ServiceNow {
  const write = (line: string) => {
    logged += line;
  };
  const log = pino({ level: 'trace' }, { write });
  return createServiceNow({
    url: URL_,
    auth: { kind: 'basic', user: 'ferry', password: 'pass-word-1' },
    now: () => clock,
    log,
    random: () => 1,
    wait: async (ms) => {
      waits.push(ms);
      clock += ms;
    },
    ...options,
  });
}
const oauth = { kind: 'oauth', clientId: 'client-id-1', clientSecret: 'client-secret-1' } as const;

async function faultOf(work: Promise<unknown>): Promise<FerryError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(FerryError);
  return thrown as FerryError;
}

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});
beforeEach(() => {
  clock = START;
  waits = [];
  logged = '';
});
afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  expect(pending).toEqual([]);
});

const instance = () => nock(URL_);
const anyQuery = true;

describe('finding', () => {
  it('asks by correlation id with basic auth and gives the oldest', async () => {
    instance()
      .get(PATH)
      .basicAuth({ user: 'ferry', pass: 'pass-word-1' })
      .query({
        sysparm_query: `correlation_id=${ID}^ORDERBYsys_created_on`,
        sysparm_fields: 'sys_id,number,state,correlation_id,correlation_display,sys_created_on',
        sysparm_limit: '20',
        sysparm_exclude_reference_link: 'true',
      })
      .reply(200, {
        result: [row({ number: 'INC0010003' }), row({ number: 'INC0010002' })],
      });
    expect(await client().findByCorrelation(ID)).toEqual({
      sysId: SYS_ID,
      number: 'INC0010002',
      state: '1',
      correlationId: ID,
      correlationDisplay: 'FileFerry TRF-0123456789 #0',
      createdOn: '2026-01-01 00:00:00',
    });
  });

  it('finds nothing', async () => {
    instance().get(PATH).query(anyQuery).reply(200, { result: [] });
    expect(await client().findByCorrelation(ID)).toBeUndefined();
  });

  it.each(['x^ORnumberISNOTEMPTY', 'x^NQstate=1', 'javascript:gs.getUserID()', ' JavaScript:1', '', 'a\nb'])(
    'refuses to look up %j',
    async (value) => {
      expect((await faultOf(client().findByCorrelation(value))).code).toBe('bad_input');
    },
  );

  it('sends & and = in a value as part of the value', async () => {
    instance()
      .get(PATH)
      .query((query) => query.sysparm_query === 'correlation_id=a&b=c%41^ORDERBYsys_created_on')
      .reply(200, { result: [] });
    await client().findByCorrelation('a&b=c%41');
  });

  it('does not take incidents for found that an instance sends because it dropped the condition', async () => {
    instance()
      .get(PATH)
      .query(anyQuery)
      .reply(200, { result: [row({ correlation_id: 'other' })] });
    const fault = await faultOf(client().findByCorrelation(ID));
    expect(fault).toMatchObject({ code: 'internal', retryable: false });
  });

  it('gets one, or undefined when it is gone', async () => {
    instance().get(`${PATH}/${SYS_ID}`).query(anyQuery).reply(200, { result: row() });
    instance().get(`${PATH}/${SYS_ID}`).query(anyQuery).reply(404, failure('No Record found'));
    const serviceNow = client();
    expect((await serviceNow.get(SYS_ID))?.number).toBe('INC0010001');
    expect(await serviceNow.get(SYS_ID)).toBeUndefined();
    expect((await faultOf(serviceNow.get('../sys_user'))).code).toBe('bad_input');
  });
});

describe('repeating', () => {
  it('honours Retry-After in seconds and as a date', async () => {
    const at = new Date(START + 5_000).toUTCString();
    instance().get(PATH).query(anyQuery).reply(429, failure('Rate limit exceeded'), { 'retry-after': '2' });
    instance().get(PATH).query(anyQuery).reply(503, '<html>', { 'retry-after': at });
    instance().get(PATH).query(anyQuery).reply(200, { result: [] });
    await client().findByCorrelation(ID);
    expect(waits).toEqual([2_000, 3_000]);
  });

  it('pauses longer each time and gives up after its attempts', async () => {
    instance().get(PATH).times(4).query(anyQuery).reply(502);
    const fault = await faultOf(client().findByCorrelation(ID));
    expect(fault).toMatchObject({ code: 'unavailable', retryable: true });
    expect(waits).toEqual([200, 400, 800]);
  });

  it('does not wait for what would come too late', async () => {
    instance().get(PATH).query(anyQuery).reply(429, failure('no'), { 'retry-after': '3600' });
    expect((await faultOf(client().findByCorrelation(ID))).code).toBe('throttled');
    expect(waits).toEqual([]);
  });

  it('tries again after a network error and names it', async () => {
    const broken = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    instance().get(PATH).times(2).query(anyQuery).replyWithError(broken);
    const fault = await faultOf(client({ attempts: 2 }).findByCorrelation(ID));
    expect(fault).toMatchObject({ code: 'unavailable', retryable: true });
    expect(fault.userMessage).toContain('ECONNRESET');
  });

  it('does not try again for an untrusted certificate', async () => {
    const broken = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    instance().get(PATH).query(anyQuery).replyWithError(broken);
    const fault = await faultOf(client().findByCorrelation(ID));
    expect(fault.retryable).toBe(false);
    expect(fault.userMessage).toContain('certificate');
  });

  it('stops when the caller waits no longer', async () => {
    const fault = await faultOf(client().findByCorrelation(ID, AbortSignal.abort()));
    expect(fault).toMatchObject({ code: 'timeout', retryable: true });
    expect(waits).toEqual([]);
  });
});

describe('creating', () => {
  const fields = { correlation_id: ID, short_description: 'x', assignment_group: 'Compliance' };
  const groupFound = (scope: nock.Scope) =>
    scope
      .get('/api/now/table/sys_user_group')
      .query((query) => query.sysparm_query === 'name=Compliance')
      .reply(200, { result: [{ sys_id: GROUP_ID, name: 'Compliance' }] });

  it('resolves the group once and sends its sys_id', async () => {
    groupFound(instance());
    instance()
      .post(PATH, { ...fields, assignment_group: GROUP_ID })
      .times(2)
      .query(anyQuery)
      .reply(201, { result: row() });
    const serviceNow = client();
    expect((await serviceNow.create(fields)).sysId).toBe(SYS_ID);
    await serviceNow.create(fields);
  });

  it('tells the operator about a group that does not exist', async () => {
    instance().get('/api/now/table/sys_user_group').query(anyQuery).reply(200, { result: [] });
    const fault = await faultOf(client().create(fields));
    expect(fault).toMatchObject({ code: 'not_found', retryable: false });
    expect(fault.userMessage).toContain('“Compliance”');
  });

  it('takes over what a broken answer created', async () => {
    const broken = Object.assign(new Error('cut'), { code: 'ECONNRESET' });
    instance().post(PATH).query(anyQuery).replyWithError(broken);
    instance()
      .get(PATH)
      .query(anyQuery)
      .reply(200, { result: [row()] });
    expect((await client().create({ correlation_id: ID })).number).toBe('INC0010001');
  });

  it('creates again when the look finds nothing, and looks before every further try', async () => {
    instance().post(PATH).query(anyQuery).reply(502);
    instance().get(PATH).query(anyQuery).reply(503);
    instance().get(PATH).query(anyQuery).reply(200, { result: [] });
    instance().post(PATH).query(anyQuery).reply(201, { result: row() });
    expect((await client().create({ correlation_id: ID })).number).toBe('INC0010001');
  });

  it('creates again without a look when nothing was sent or the request was turned away', async () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    instance().post(PATH).query(anyQuery).replyWithError(refused);
    instance().post(PATH).query(anyQuery).reply(429, failure('slow down'));
    instance().post(PATH).query(anyQuery).reply(201, { result: row() });
    await client().create({ correlation_id: ID });
  });

  it('does not create again while the first request may still be on its way', async () => {
    const asked: string[] = [];
    const silent: typeof fetch = (_url, init) => {
      asked.push(init?.method ?? 'GET');
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    };
    const fault = await faultOf(client({ timeoutMs: 1, fetch: silent }).create({ correlation_id: ID }));
    expect(fault).toMatchObject({ code: 'timeout', retryable: true });
    expect(asked).toEqual(['POST']);
  });
});

describe('changing', () => {
  const note = { work_notes: 'n', correlation_display: 'FileFerry TRF-0123456789 #1' };

  it('takes a note for written when the ticket says so', async () => {
    instance().patch(`${PATH}/${SYS_ID}`, note).query(anyQuery).reply(502);
    instance()
      .get(`${PATH}/${SYS_ID}`)
      .query(anyQuery)
      .reply(200, { result: row({ correlation_display: note.correlation_display }) });
    expect((await client().patch(SYS_ID, note)).correlationDisplay).toBe(note.correlation_display);
  });

  it('writes a note again when the ticket does not have it', async () => {
    instance().patch(`${PATH}/${SYS_ID}`, note).query(anyQuery).reply(502);
    instance().get(`${PATH}/${SYS_ID}`).query(anyQuery).reply(200, { result: row() });
    instance().patch(`${PATH}/${SYS_ID}`, note).query(anyQuery).reply(200, { result: row() });
    await client().patch(SYS_ID, note);
  });

  it('does not repeat a note that leaves no mark, but any change that is no note', async () => {
    instance().patch(`${PATH}/${SYS_ID}`).query(anyQuery).reply(502);
    expect((await faultOf(client().patch(SYS_ID, { work_notes: 'n' }))).retryable).toBe(true);
    instance().patch(`${PATH}/${SYS_ID}`).query(anyQuery).reply(502);
    instance().patch(`${PATH}/${SYS_ID}`).query(anyQuery).reply(200, { result: row() });
    await client().patch(SYS_ID, { state: '2' });
  });
});

describe('answers that need the operator', () => {
  it.each([
    [401, 'not_allowed', 'SERVICENOW_'],
    [403, 'not_allowed', 'roles'],
    [400, 'bad_input', 'HTTP 400'],
    [302, 'unavailable', 'SERVICENOW_URL'],
  ] as const)('HTTP %i is %s, without a repeat', async (status, code, words) => {
    instance().get(PATH).query(anyQuery).reply(status, failure('Oh\u202E no', 'de\u0007tail'));
    const fault = await faultOf(client().findByCorrelation(ID));
    expect(fault).toMatchObject({ code, retryable: false });
    expect(fault.userMessage).toContain(words);
    expect(fault.userMessage).toContain('“Oh no: de tail”');
  });

  it('a web page with status 200 is an instance that sleeps', async () => {
    instance().get(PATH).times(4).query(anyQuery).reply(200, '<html>Hibernating</html>');
    expect(await faultOf(client().findByCorrelation(ID))).toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
  });

  it('an answer without the fields is not guessed at', async () => {
    instance()
      .get(PATH)
      .query(anyQuery)
      .reply(200, { result: [{ sys_id: SYS_ID }] });
    expect((await faultOf(client().findByCorrelation(ID))).code).toBe('internal');
  });

  it('an endless answer is not read to its end', async () => {
    instance()
      .get(PATH)
      .times(4)
      .query(anyQuery)
      .reply(200, `"${'x'.repeat(2 << 20)}"`);
    expect((await faultOf(client().findByCorrelation(ID))).code).toBe('unavailable');
  });

  it('refuses an address that holds a password', () => {
    expect(() => client({ url: 'https://a:b@example.service-now.com' })).toThrow(/must not hold/);
  });
});

describe('OAuth', () => {
  const tokenAnswer = (token: string, seconds = 1_799) =>
    instance()
      .post('/oauth_token.do', {
        grant_type: 'client_credentials',
        client_id: 'client-id-1',
        client_secret: 'client-secret-1',
      })
      .reply(200, { access_token: token, token_type: 'Bearer', expires_in: seconds });
  const list = (token: string) =>
    instance().get(PATH).query(anyQuery).matchHeader('authorization', `Bearer ${token}`);

  it('fetches one token for many calls at once and another before it lapses', async () => {
    tokenAnswer('token-1');
    list('token-1').times(3).reply(200, { result: [] });
    const serviceNow = client({ auth: oauth });
    await Promise.all([serviceNow.findByCorrelation(ID), serviceNow.findByCorrelation(ID)]);
    clock += 1_738_000;
    await serviceNow.findByCorrelation(ID);
    clock += 1_000;
    tokenAnswer('token-2');
    list('token-2').reply(200, { result: [] });
    await serviceNow.findByCorrelation(ID);
  });

  it('replaces a token that is refused, once', async () => {
    tokenAnswer('token-1');
    list('token-1').reply(401, failure('User Not Authenticated'));
    tokenAnswer('token-2');
    list('token-2').reply(200, { result: [] });
    const serviceNow = client({ auth: oauth });
    await serviceNow.findByCorrelation(ID);

    list('token-2').reply(401, failure('User Not Authenticated'));
    tokenAnswer('token-3');
    list('token-3').reply(401, failure('User Not Authenticated'));
    expect(await faultOf(serviceNow.findByCorrelation(ID))).toMatchObject({
      code: 'not_allowed',
      retryable: false,
    });
    expect(waits).toEqual([]);
  });

  it('asks for a token again after an outage, and repeats a create without a look, as none was sent', async () => {
    instance().post('/oauth_token.do').reply(503);
    tokenAnswer('token-1');
    instance().post(PATH).query(anyQuery).reply(201, { result: row() });
    await client({ auth: oauth }).create({ correlation_id: ID });
  });

  it('tells the operator when the client is not known', async () => {
    instance()
      .post('/oauth_token.do')
      .reply(401, { error: 'server_error', error_description: 'access_denied' });
    const fault = await faultOf(client({ auth: oauth }).ping());
    expect(fault).toMatchObject({ code: 'not_allowed', retryable: false });
    expect(fault.userMessage).toContain('SERVICENOW_CLIENT_ID');
  });
});

describe('ping', () => {
  it('asks once, for readiness', async () => {
    instance()
      .get(PATH)
      .query((query) => query.sysparm_limit === '1')
      .reply(200, { result: [] });
    await client().ping();
    instance().get(PATH).query(anyQuery).reply(503);
    expect((await faultOf(client().ping())).code).toBe('unavailable');
  });
});

it('puts no secret into errors or logs', async () => {
  const broken = Object.assign(new Error('cut'), { code: 'ECONNRESET' });
  instance().get(PATH).times(8).query(anyQuery).replyWithError(broken);
  instance().post('/oauth_token.do').reply(200, { access_token: 'token-secret-1', expires_in: 100 });
  const faults = [
    await faultOf(client().findByCorrelation(ID)),
    await faultOf(client({ auth: oauth }).findByCorrelation(ID)),
  ];
  const told = `${logged}${faults.map((fault) => `${fault.stack}${JSON.stringify(fault)}${fault.cause}`)}`;
  expect(logged).toContain('asking ServiceNow again');
  const basic = Buffer.from('ferry:pass-word-1').toString('base64');
  for (const secret of ['pass-word-1', 'client-secret-1', 'token-secret-1', basic]) {
    expect(told).not.toContain(secret);
  }
});
