import { expect, it } from 'vitest';
import { settingsFromSecret } from './settings-secret.ts';

it('reads settings from one secret', async () => {
  const asked: string[] = [];
  const resolve = async (reference: string) => {
    asked.push(reference);
    return '{"SLACK_BOT_TOKEN":"xoxb-1","SERVICENOW_USER":"ferry"}';
  };
  expect(await settingsFromSecret(resolve, 'FileFerry/bot')).toEqual({
    SLACK_BOT_TOKEN: 'xoxb-1',
    SERVICENOW_USER: 'ferry',
  });
  expect(asked).toEqual(['secretsmanager:FileFerry/bot']);
});

it.each(['xoxb-plain-text', '["xoxb-1"]', '{"SLACK_BOT_TOKEN":{"nested":"xoxb-1"}}'])(
  'names the secret and keeps its content to itself: %#',
  async (content) => {
    const failure = await settingsFromSecret(async () => content, 'FileFerry/bot').catch((error) => error);
    expect(failure.userMessage).toBe(
      'The secret FileFerry/bot is not a JSON object of settings and their values.',
    );
    expect(JSON.stringify([failure, failure.message, String(failure.cause)])).not.toContain('xoxb');
  },
);
