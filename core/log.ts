/** The logger of a process: JSON lines, or tidy one-liners for people, both without secrets. */
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { censor } from './censor.ts';

/** Deepest chain of causes that is logged. */
const MAX_CAUSES = 4;

interface LoggedError {
  type: string;
  message: string;
  code?: string;
  requestId?: string;
  stack?: string;
  cause?: LoggedError | string;
}

/**
 * What is logged of an error. Only these: the SDK hangs whole requests and responses on its errors, with their
 * headers.
 */
function loggedError(error: unknown, depth = 0): LoggedError | string {
  if (!(error instanceof Error)) return String(error);
  const { code, $metadata } = error as Error & { code?: unknown; $metadata?: { requestId?: string } };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...($metadata?.requestId ? { requestId: $metadata.requestId } : {}),
    ...(error.stack ? { stack: error.stack } : {}),
    ...(error.cause !== undefined && depth < MAX_CAUSES
      ? { cause: loggedError(error.cause, depth + 1) }
      : {}),
  };
}

/** Lines for people, made in this process, or undefined where development packages are not installed. */
async function prettyLines(destination: DestinationStream): Promise<DestinationStream | undefined> {
  const module = await import('pino-pretty').catch(() => undefined);
  const prettify = module?.prettyFactory({
    colorize: process.stdout.isTTY === true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,service,transferId,step',
    singleLine: true,
    messageFormat: '{service}{if transferId} {transferId}{end}{if step} {step}{end}: {msg}',
  });
  return prettify && { write: (line) => destination.write(prettify(line) ?? line) };
}

/**
 * Conventional fields: `transferId`, `step`, `reference`, and `err` for an error.
 *
 * @param destination where lines go; standard output unless a test says otherwise
 */
export async function createLogger(options: {
  service: string;
  level: string;
  format: 'json' | 'pretty';
  destination?: DestinationStream;
}): Promise<Logger> {
  const output = options.destination ?? pino.destination({ fd: 1, sync: true });
  const pretty = options.format === 'pretty' ? await prettyLines(output) : undefined;
  const log = pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: {
        err: (error: unknown) => loggedError(error),
        req: stdSerializers.req,
        res: stdSerializers.res,
      },
      hooks: { streamWrite: censor },
    },
    pretty ?? output,
  );
  if (options.format === 'pretty' && !pretty) {
    log.warn('pino-pretty is not installed (npm ci without --omit=dev installs it): logging JSON instead');
  }
  return log;
}
