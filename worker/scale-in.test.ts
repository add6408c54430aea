import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { createScaleInProtection } from './scale-in.ts';

const log = pino({ level: 'silent' });
let agent: Server;
let agentUri: string;
let status: number;
/** What the agent was told, oldest first. */
let calls: { url: string | undefined; method: string | undefined; body: unknown }[];

beforeEach(async () => {
  calls = [];
  status = 200;
  agent = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    calls.push({ url: req.url, method: req.method, body: JSON.parse(text) });
    res.writeHead(status).end('{}');
  });
  agentUri = await listenLocally(agent);
});
afterEach(() => closeServer(agent));

const ON = { ProtectionEnabled: true, ExpiresInMinutes: 60 };
const OFF = { ProtectionEnabled: false };
const said = () => calls.map(({ body }) => body);

it('is on before the first transfer starts and off after the last one ends', async () => {
  const protection = createScaleInProtection({ agentUri, log });
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const started: unknown[] = [];
  const work = (gate: Promise<string>) => () => {
    started.push(said());
    return gate;
  };
  const one = protection.during(work(first.promise));
  const two = protection.during(work(second.promise));
  first.resolve('one');
  expect(await one).toBe('one');
  expect(said()).toEqual([ON]);
  second.resolve('two');
  expect(await two).toBe('two');
  expect(said()).toEqual([ON, OFF]);
  expect(started).toContainEqual([ON]);
  expect(calls[0]).toMatchObject({ url: '/task-protection/v1/state', method: 'PUT' });
});

it('is given up when the work fails, and renewed while it lasts', async () => {
  const protection = createScaleInProtection({ agentUri, log, renewMs: 5 });
  const gate = Promise.withResolvers<never>();
  const failing = protection.during(() => gate.promise);
  await vi.waitFor(() => expect(calls.length).toBeGreaterThan(2));
  gate.reject(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  expect(said().at(-1)).toEqual(OFF);
});

it('does not stop a transfer when the agent refuses or is away', async () => {
  status = 500;
  expect(await createScaleInProtection({ agentUri, log }).during(async () => 'done')).toBe('done');
  const away = createScaleInProtection({ agentUri: 'http://127.0.0.1:1', log });
  expect(await away.during(async () => 'done')).toBe('done');
});

it('does nothing outside of ECS', async () => {
  const protection = createScaleInProtection({ agentUri: undefined, log });
  expect(await protection.during(async () => 'done')).toBe('done');
  await protection.release();
  expect(calls).toEqual([]);
});
