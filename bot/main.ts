/** The bot's process: reads the settings, starts the service, and stops it when asked to. */
import { ConfigFaults, loadBotConfig } from '../core/config.ts';
import { createLogger } from '../core/log.ts';
import { startBot } from './service.ts';

/** After this long a stop is no longer graceful, in milliseconds. */
const STOP_MS = 25_000;

try {
  const config = loadBotConfig();
  const log = await createLogger({
    service: 'bot',
    level: config.env.LOG_LEVEL,
    format: config.env.LOG_FORMAT,
  });
  const bot = await startBot(config, log);
  log.info({ port: bot.port }, 'bot ready');
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: finishing the turns under way');
    setTimeout(() => {
      log.error('some turns did not end in time; another bot takes them over');
      process.exit(1);
    }, STOP_MS).unref();
    void bot.stop().then(() => {
      log.info('stopped');
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigFaults ? error.message : `FileFerry's bot cannot start: ${error}`}\n`,
  );
  process.exit(1);
}
