/** The bot's process as a Lambda function: settings from a secret, the same service, and Lambda's Runtime API around it. */
import { ConfigFaults, loadBotConfig, ownEnvironment } from '../core/config.ts';
import { createLogger } from '../core/log.ts';
import { createSecretResolver, createSecretsClient } from '../core/secrets.ts';
import { settingsFromSecret } from '../core/settings-secret.ts';
import { serveInvocations } from './lambda-runtime.ts';
import { startBot } from './service.ts';

try {
  const environment = ownEnvironment();
  const { AWS_LAMBDA_RUNTIME_API: api, SETTINGS_SECRET: secret, AWS_REGION: region = '' } = environment;
  if (!api) throw new Error('AWS_LAMBDA_RUNTIME_API is not set: this program runs in Lambda only');
  const resolve = createSecretResolver({
    environment: {},
    secretsManager: () => createSecretsClient(region),
  });
  const config = loadBotConfig({
    ...(secret ? await settingsFromSecret(resolve, secret) : {}),
    ...environment,
    // Reached through the Runtime API only.
    HOST: '127.0.0.1',
    PORT: '0',
  });
  const log = await createLogger({ service: 'bot', level: config.env.LOG_LEVEL, format: 'json' });
  const bot = await startBot(config, log);
  const stopping = new AbortController();
  process.once('SIGTERM', () => {
    stopping.abort();
    void bot.stop().then(() => process.exit(0));
  });
  await serveInvocations({
    api,
    botUrl: `http://127.0.0.1:${bot.port}`,
    finishTurns: () => bot.finishTurns(),
    now: Date.now,
    log,
    signal: stopping.signal,
  });
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigFaults ? error.message : `FileFerry's bot cannot start: ${error}`}\n`,
  );
  process.exit(1);
}
