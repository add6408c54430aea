/** From counts to dollars: a bill of what transfers cost, line by line. */
import type { Charge } from './dynamodb-meter.ts';
import type { Counts } from './metered-house.ts';
import { dollars } from './prices.ts';

export interface BillLine {
  readonly service: string;
  readonly what: string;
  /** Of whatever the line counts, for all transfers that were run. */
  readonly count: number;
  readonly usd: number;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** Units and their price by table and kind of call. */
export function dynamoDbLines(charges: readonly Charge[]): BillLine[] {
  const groups = Map.groupBy(charges, ({ table, what }) => `${table}: ${what}`);
  return [...groups].flatMap(([what, group]) => {
    const reads = sum(group.map((charge) => charge.readUnits));
    const writes = sum(group.map((charge) => charge.writeUnits));
    const indexWrites = sum(group.map((charge) => charge.indexWriteUnits));
    const line = (unit: string, count: number, usd: number) =>
      count > 0 ? [{ service: 'DynamoDB', what: `${what}, ${unit}`, count, usd }] : [];
    return [
      ...line('read units', reads, dollars('dynamoDbReadUnit', reads)),
      ...line('write units', writes, dollars('dynamoDbWriteUnit', writes)),
      ...line('index write units', indexWrites, dollars('dynamoDbWriteUnit', indexWrites)),
    ];
  });
}

function priceOf(request: string): Parameters<typeof dollars>[0] {
  const [service, operation] = request.split(' ');
  switch (service) {
    case 'SQS':
      return 'sqsRequest';
    case 'S3':
      return operation === 'GET' || operation === 'HEAD' ? 's3Read' : 's3WriteOrList';
    case 'STS':
      return 'stsCall';
    case 'Secrets':
      return 'secretsCall';
    case 'HTTP':
      return 'httpApiRequest';
    default:
      throw new Error(`there is no price of ${request}`);
  }
}

const SERVICE_NAMES: Readonly<Record<string, string>> = { Secrets: 'Secrets Manager', HTTP: 'API Gateway' };

/** All services but DynamoDB. */
export function otherLines({ requests, logBytes }: Counts): BillLine[] {
  const lines = Object.entries(requests).map(([what, count]) => {
    const word = what.split(' ')[0] ?? '';
    return { service: SERVICE_NAMES[word] ?? word, what, count, usd: dollars(priceOf(what), count) };
  });
  const logs = { service: 'CloudWatch Logs', what: 'bytes ingested', count: logBytes };
  return [...lines, { ...logs, usd: dollars('logsIngested', logBytes / 1e9) }];
}

/** Dollars by service, or by whatever names a line. */
export function totals(
  lines: readonly BillLine[],
  nameOf: (line: BillLine) => string = (line) => line.service,
): Readonly<Record<string, number>> {
  const groups = Map.groupBy(lines, nameOf);
  return Object.fromEntries([...groups].map(([name, group]) => [name, sum(group.map(({ usd }) => usd))]));
}
