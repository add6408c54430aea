/** The local stack with a meter before every service that bills, and the bot and the worker behind them. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parse, stringify } from 'yaml';
import { closeServer, listenLocally } from '../infra/local/listen.ts';
import { type LogLine, type Service, startService } from '../infra/local/services.ts';
import { type Stack, startStack } from '../infra/local/stack.ts';
import { TABLE_PREFIX } from '../infra/local/stack-environment.ts';
import { type HttpSlack, startHttpSlack } from '../test/support/http-slack.ts';
import { type Charge, openDynamoDbMeter } from './dynamodb-meter.ts';
import { openHttpMeter } from './http-meter.ts';

/** CloudWatch counts so many bytes beside each line. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const BYTES_BESIDE_A_LINE = 26;

/** All that was counted from one moment to another. */
export interface Counts {
  readonly charges: readonly Charge[];
  /** By service and request, such as `SQS ReceiveMessage`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly logBytes: number;
}

export interface MeteredHouse {
  readonly stack: Stack;
  readonly slack: HttpSlack;
  readonly services: readonly Service[];
  /** What was counted since the last time. */
  take(): Counts;
  stop(): Promise<void>;
}

/** Secrets Manager, as far as the worker uses it: every secret is the FTP server's password. */
async function startSecrets(password: string, count: () => void) {
  const server = createServer((req, res) => {
    req.resume().on('end', () => {
      count();
      res.setHeader('content-type', 'application/x-amz-json-1.1');
      res.end(JSON.stringify({ Name: 'ftp', SecretString: password }));
    });
  });
  const url = await listenLocally(server);
  return { url, stop: () => closeServer(server) };
}

export async function openMeteredHouse(): Promise<MeteredHouse> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const one of stops.reverse()) await one();
  };
  const atStop = <T extends { stop(): Promise<unknown> }>(started: T): T => {
    stops.push(() => started.stop());
    return started;
  };
  try {
    const requests = new Map<string, number>();
    const count = (what: string) => void requests.set(what, (requests.get(what) ?? 0) + 1);
    let logBytes = 0;
    const onLine = (line: LogLine) => {
      logBytes += Buffer.byteLength(JSON.stringify(line)) + BYTES_BESIDE_A_LINE;
    };

    const stack = atStop(await startStack({ slack: 'none' }));
    const dynamoDb = atStop(await openDynamoDbMeter(stack.dynamoDb.endpoint, TABLE_PREFIX));
    const sqs = atStop(
      await openHttpMeter(
        () => stack.sqs.endpoint,
        async ({ headers }, pass) => {
          const operation = String(headers['x-amz-target']).split('.')[1];
          const answer = await pass();
          const isEmpty = operation === 'ReceiveMessage' && !answer.body.includes('"Messages":[{');
          count(`SQS ${operation}${isEmpty ? ' (empty)' : ''}`);
          return answer;
        },
      ),
    );
    const s3 = atStop(
      await openHttpMeter(
        () => stack.s3.endpoint,
        (asked, pass) => {
          const isList = asked.method === 'GET' && /[?&]list-type=/.test(asked.path);
          count(`S3 ${isList ? 'LIST' : asked.method}`);
          return pass();
        },
      ),
    );
    const sts = atStop(
      await openHttpMeter(
        () => stack.sts.endpoint,
        ({ body }, pass) => {
          count(`STS ${new URLSearchParams(body.toString('utf8')).get('Action')}`);
          return pass();
        },
      ),
    );
    const secrets = atStop(await startSecrets(stack.ftp.password, () => count('Secrets GetSecretValue')));
    let bot: Service | undefined;
    const front = atStop(
      await openHttpMeter(
        () => bot?.url ?? '',
        (_asked, pass) => {
          count('HTTP API request');
          return pass();
        },
      ),
    );
    const slack = await startHttpSlack(() => front.url);
    stops.push(() => slack.close());

    const policy = parse(await readFile(stack.configFile, 'utf8'));
    for (const destination of Object.values<{ password: string }>(policy.destinations)) {
      destination.password = 'secretsmanager:fileferry/ftp';
    }
    await writeFile(stack.configFile, stringify(policy));

    const metered = {
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url,
      AWS_ENDPOINT_URL_SQS: sqs.url,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    };
    const services = await Promise.all([
      startService('bot', { ...stack.environmentForBot(), ...slack.botSettings, ...metered }, onLine),
      startService(
        'worker',
        { ...stack.environmentForWorker(), ...slack.workerSettings, ...metered },
        onLine,
      ),
    ]);
    for (const service of services) atStop(service);
    [bot] = services;

    return {
      stack,
      slack,
      services,
      take() {
        const taken = {
          charges: dynamoDb.charges.splice(0),
          requests: Object.fromEntries(requests),
          logBytes,
        };
        requests.clear();
        logBytes = 0;
        return taken;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
