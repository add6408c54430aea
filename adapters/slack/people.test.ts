/** People from Slack's directory: their standing, and no guess when Slack does not answer. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SLACK_BOT, type SlackServer, startSlackServer } from '../../test/fakes/slack-server.ts';
import { type People, slackPeople, slackUserOf } from './people.ts';
import { createSlackApi } from './web-api.ts';

describe('slackPeople', () => {
  let server: SlackServer;
  let people: People;
  let clock: number;

  beforeEach(async () => {
    server = await startSlackServer();
    clock = 1_795_376_915_000;
    const logger = pino({ level: 'silent' });
    const api = createSlackApi({ token: SLACK_BOT.token, apiUrl: server.url, logger, backoffMs: [] });
    people = slackPeople(api, () => clock);
  });
  afterEach(() => server.close());

  it('knows name, email and standing', async () => {
    server.addUser({
      id: 'U01ANA',
      name: 'ana',
      profile: { display_name: 'Ana \u202eSilva', email: 'ana@example.com' },
    });
    expect(await people.person('U01ANA')).toEqual({
      userId: 'slack:T01FERRY:U01ANA',
      name: 'Ana Silva',
      email: 'ana@example.com',
      standing: 'member',
    });
  });

  it.each([
    [{ is_restricted: true }, 'guest'],
    [{ is_ultra_restricted: true }, 'guest'],
    [{ deleted: true, is_restricted: true }, 'deactivated'],
    [{ is_bot: true }, 'bot'],
    [{ is_stranger: true }, 'external'],
    [{ team_id: 'T99OTHER' }, 'external'],
    [{}, 'member'],
  ])('%j is %s', async (facts, standing) => {
    server.addUser({ id: 'U04DAN', name: 'dan', ...facts });
    expect((await people.person('U04DAN')).standing).toBe(standing);
  });

  it('asks once in five minutes, also when asked twice at once', async () => {
    server.addUser({ id: 'U01ANA', name: 'ana' });
    await Promise.all([people.person('U01ANA'), people.person('U01ANA')]);
    clock += 4 * 60_000;
    await people.person('U01ANA');
    expect(server.callsOf('users.info')).toHaveLength(1);
    clock += 2 * 60_000;
    server.addUser({ id: 'U01ANA', name: 'ana', deleted: true });
    expect((await people.person('U01ANA')).standing).toBe('deactivated');
  });

  it('refuses for now when Slack does not say, and asks again next time', async () => {
    server.addUser({ id: 'U01ANA', name: 'ana' });
    server.fail('users.info', { kind: 'http', status: 500 });
    await expect(people.person('U01ANA')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect((await people.person('U01ANA')).name).toBe('ana');
    await expect(people.person('U77NONE')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });
});

describe('slackUserOf', () => {
  it.each([
    ['slack:T01FERRY:U01ANA', 'U01ANA'],
    ['teams:tenant:U01ANA', undefined],
    ['U01ANA', undefined],
  ])('%s is %s', (userId, expected) => {
    expect(slackUserOf(userId)).toBe(expected);
  });
});
