/** The local ServiceNow answers as the base system does, and breaks only when told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalServiceNow, startServiceNow } from './servicenow.ts';

let server: LocalServiceNow;
let clock: number;

beforeEach(async () => {
  clock = Date.UTC(2026, 0, 1);
  server = await startServiceNow({ now: () => clock, tokenSeconds: 60 });
});
afterEach(() => server.stop());

const basic = () => `Basic ${Buffer.from(`${server.user}:${server.password}`).toString('base64')}`;

async function call(method: string, path: string, body?: object, authorization = basic()) {
  const response = await fetch(`${server.url}/api/now/table/${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the test looks into answers of many forms
  return { status: response.status, headers: response.headers, json: (await response.json()) as any };
}
const create = async (fields: object) => (await call('POST', 'incident', fields)).json.result;
const numbers = async (query: string) =>
  (
    await call('GET', `incident?${new URLSearchParams({ sysparm_query: query, sysparm_fields: 'number' })}`)
  ).json.result.map((row: { number: string }) => row.number);

describe('Table API', () => {
  it('creates with 201, Location, a number and a sys_id', async () => {
    const { status, headers, json } = await call('POST', 'incident', { short_description: 'a', unknown: 1 });
    expect(status).toBe(201);
    expect(json.result).toMatchObject({
      number: 'INC0010001',
      state: '1',
      priority: '5',
      sys_mod_count: '0',
    });
    expect(json.result.sys_id).toMatch(/^[0-9a-f]{32}$/);
    expect(json.result).not.toHaveProperty('unknown');
    expect(headers.get('location')).toBe(`${server.url}/api/now/table/incident/${json.result.sys_id}`);
    expect((await create({ impact: '2', urgency: '1' })).priority).toBe('2');
  });

  it('selects, orders, limits and picks fields', async () => {
    await create({ short_description: 'alpha', correlation_id: 'x' });
    clock += 1_000;
    await create({ short_description: 'beta', correlation_id: 'x', state: '2' });
    await create({ short_description: 'gamma', correlation_id: 'y' });
    const [a, b, c] = ['INC0010001', 'INC0010002', 'INC0010003'];
    expect(await numbers('correlation_id=x^ORDERBYDESCsys_created_on')).toEqual([b, a]);
    expect(await numbers('correlation_id=x^state=2')).toEqual([b]);
    expect(await numbers('state=2^ORcorrelation_id=y')).toEqual([b, c]);
    expect(await numbers('correlation_id=x^state=1^NQcorrelation_id=y')).toEqual([a, c]);
    expect(await numbers('short_descriptionLIKEa^short_descriptionSTARTSWITHb')).toEqual([b]);
    expect(await numbers('numberININC0010001,INC0010003')).toEqual([a, c]);
    expect(await numbers('correlation_id=')).toEqual([]);
    // The trap of the base system: a condition on a column that does not exist is dropped.
    expect(await numbers('no_such_column=1')).toEqual([a, b, c]);
    const page = await call('GET', 'incident?sysparm_limit=1&sysparm_offset=1&sysparm_fields=number,state');
    expect(page.json.result).toEqual([{ number: b, state: '2' }]);
    expect(page.headers.get('x-total-count')).toBe('3');
  });

  it('keeps work notes as journal entries', async () => {
    const { sys_id } = await create({ work_notes: 'first' });
    await call('PATCH', `incident/${sys_id}`, { work_notes: 'second' });
    const journal = await call(
      'GET',
      `sys_journal_field?sysparm_query=element_id=${sys_id}&sysparm_fields=value`,
    );
    expect(journal.json.result).toEqual([{ value: 'first' }, { value: 'second' }]);
    expect((await call('GET', `incident/${sys_id}`)).json.result.work_notes).toBe('');
    const shown = await call('GET', `incident/${sys_id}?sysparm_display_value=true`);
    expect(shown.json.result.work_notes).toMatch(/second[\s\S]*first/);
    expect(shown.json.result.state).toBe('New');
  });

  it('takes a group by sys_id, by name only when told so, and leaves an unknown one empty', async () => {
    const [group] = (await call('GET', 'sys_user_group?sysparm_query=name=Compliance')).json.result;
    const byId = await create({ assignment_group: group.sys_id });
    expect(byId.assignment_group.value).toBe(group.sys_id);
    expect((await create({ assignment_group: 'Compliance' })).assignment_group).toBe('');
    const byName = await call(
      'POST',
      'incident?sysparm_input_display_value=true&sysparm_display_value=true',
      {
        assignment_group: 'Compliance',
      },
    );
    expect(byName.json.result.assignment_group.display_value).toBe('Compliance');
  });

  it('refuses to resolve or close without code and notes, and changes to what is closed', async () => {
    const { sys_id } = await create({});
    for (const state of ['6', '7']) {
      const refused = await call('PATCH', `incident/${sys_id}`, {
        state,
        work_notes: 'lost',
        close_code: 'x',
      });
      expect(refused.status).toBe(403);
      expect(refused.json.error.detail).toContain('Data Policy');
    }
    const closed = await call('PATCH', `incident/${sys_id}`, {
      state: '7',
      close_code: 'x',
      close_notes: 'y',
    });
    expect(closed.json.result).toMatchObject({ state: '7', active: 'false' });
    expect((await call('PATCH', `incident/${sys_id}`, { work_notes: 'late' })).status).toBe(403);
    expect(server.incidents()[0]?.notes).toEqual([]);
  });

  it('words its refusals like ServiceNow', async () => {
    const refused = await call('GET', 'incident', undefined, 'Basic bm9ib2R5Om5v');
    expect(refused.status).toBe(401);
    expect(refused.json).toEqual({
      error: { message: 'User Not Authenticated', detail: 'Required to provide Auth information' },
      status: 'failure',
    });
    expect((await call('GET', `incident/${'0'.repeat(32)}`)).status).toBe(404);
    expect((await call('GET', 'no_table')).status).toBe(400);
    expect((await call('POST', 'sys_user_group', {})).status).toBe(405);
    const broken = await fetch(`${server.url}/api/now/table/incident`, {
      method: 'POST',
      headers: { authorization: basic() },
      body: '{',
    });
    expect(broken.status).toBe(400);
  });

  it('gives tokens that lapse', async () => {
    const ask = (client_secret: string) =>
      fetch(`${server.url}/oauth_token.do`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: server.clientId,
          client_secret,
        }),
      });
    expect((await ask('wrong')).status).toBe(401);
    const { access_token } = (await (await ask(server.clientSecret)).json()) as { access_token: string };
    expect((await call('GET', 'incident', undefined, `Bearer ${access_token}`)).status).toBe(200);
    clock += 60_000;
    expect((await call('GET', 'incident', undefined, `Bearer ${access_token}`)).status).toBe(401);
  });
});

describe('outages', () => {
  it('lasts as many requests as told', async () => {
    server.setOutage('429', 2);
    const first = await call('GET', 'incident');
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await call('GET', 'incident')).status).toBe(429);
    expect((await call('GET', 'incident')).status).toBe(200);
  });

  it('down carries nothing out; accept-then-drop does and says nothing', async () => {
    server.setOutage('down');
    await expect(call('POST', 'incident', {})).rejects.toThrow();
    expect(server.incidents()).toEqual([]);
    server.setOutage('accept-then-drop');
    await expect(call('POST', 'incident', {})).rejects.toThrow();
    expect(server.incidents()).toHaveLength(1);
    expect((await call('GET', 'incident')).status).toBe(200);
  });

  it('slow carries out and answers when it ends', async () => {
    server.setOutage('slow');
    const slow = call('POST', 'incident', {});
    while (server.requests().length === 0) await new Promise(setImmediate);
    expect(server.incidents()).toEqual([]);
    server.setOutage(undefined);
    expect((await slow).status).toBe(201);
  });
});

it('keeps its tickets between two starts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'servicenow-'));
  try {
    const dataFile = join(folder, 'servicenow.json');
    await server.stop();
    server = await startServiceNow({ dataFile });
    await create({ short_description: 'kept', work_notes: 'n' });
    await server.stop();
    server = await startServiceNow({ dataFile });
    expect(server.incidents()).toMatchObject([
      { number: 'INC0010001', shortDescription: 'kept', notes: ['n'] },
    ]);
    expect((await create({})).number).toBe('INC0010002');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('shows people the tickets, with every text escaped, also in an outage', async () => {
  await create({ short_description: '<script>x</script>', work_notes: '"&<b>' });
  server.setOutage('503');
  const page = await (await fetch(`${server.url}/`)).text();
  expect(page).toContain('INC0010001');
  expect(page).toContain('&lt;script&gt;');
  expect(page).toContain('&quot;&amp;&lt;b&gt;');
  expect(page).not.toMatch(/<script|<b>"/);
});
