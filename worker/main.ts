/** The worker's process: reads the settings, starts the service, and stops it when asked to. */
import { ConfigFaults, loadWorkerConfig } from '../core/config.ts';
import { createLogger } from '../core/log.ts';
import { startWorker } from './service.ts';

/** After this long a stop is no longer graceful, in milliseconds; what is under way is taken over all the same. */
const STOP_MS = 24_000;

try {
  const config = loadWorkerConfig();
  const log = await createLogger({
    service: 'worker',
    level: config.env.LOG_LEVEL,
    format: config.env.LOG_FORMAT,
  });
  const worker = await startWorker(config, log);
  log.info({ port: worker.port }, 'worker ready');
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: handing over what is under way');
    setTimeout(() => {
      log.error('not everything could be handed over in time; it is taken over when its lease lapses');
      process.exit(1);
    }, STOP_MS).unref();
    void worker.stop().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'stopped with a fault');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigFaults ? error.message : `FileFerry's worker cannot start: ${error}`}\n`,
  );
  process.exit(1);
}
