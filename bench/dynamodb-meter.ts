/** A meter before DynamoDB: works out the request units of every call as AWS bills them, indexes included. */
import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { TABLES, type TableDefinition } from '../infra/schema/tables.ts';
import { type Answered, type Asked, type HttpMeter, openHttpMeter } from './http-meter.ts';
import { type Item, itemSize } from './item-size.ts';

/** What one call came to. */
export interface Charge {
  /** Name of the table without its prefix. */
  readonly table: string;
  /** What was asked, and of which kind of item, such as `PutItem record`. */
  readonly what: string;
  readonly readUnits: number;
  /** Of the table itself. */
  readonly writeUnits: number;
  readonly indexWriteUnits: number;
  /** A look that comes with time rather than with work. */
  readonly standing: boolean;
}

interface Input {
  readonly TableName: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly IndexName?: string;
  readonly ConsistentRead?: boolean;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys: Item[]; readonly ConsistentRead?: boolean }>
  >;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
const readUnits = (bytes: number, consistent = false) =>
  Math.max(1, Math.ceil(bytes / 4_096)) * (consistent ? 1 : 0.5);
const writeUnits = (bytes: number) => Math.max(1, Math.ceil(bytes / 1_024));

/** What an index of keys alone holds of an item, or undefined when the item is not in it. */
function entryOf(item: Item | undefined, table: TableDefinition, index: TableDefinition['indexes'][number]) {
  const inIndex = [index.partitionKey.name, index.sortKey.name];
  if (!item || inIndex.some((name) => item[name] === undefined)) return undefined;
  const names = new Set([
    ...inIndex,
    table.partitionKey.name,
    ...(table.sortKey ? [table.sortKey.name] : []),
  ]);
  return Object.fromEntries([...names].flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
}

/**
 * Units of the table's indexes for a change: an entry that comes or goes is one write, one whose key changes is
 * two, and one that stays as it is costs nothing.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
export function indexUnits(
  table: TableDefinition,
  before: Item | undefined,
  after: Item | undefined,
): number {
  let units = 0;
  for (const index of table.indexes) {
    const [old, fresh] = [entryOf(before, table, index), entryOf(after, table, index)];
    if (JSON.stringify(old) === JSON.stringify(fresh)) continue;
    if (old) units += writeUnits(itemSize(old));
    if (fresh) units += writeUnits(itemSize(fresh));
  }
  return units;
}

/** What an item of TransferRequests is, by its key; other tables hold items of one kind. */
function kindOf(key: string): string {
  if (key.includes('/objects/')) return 'objects';
  const prefix = /^([a-z]+)#/.exec(key)?.[1];
  return prefix ?? (key.startsWith('TRF-') ? 'record' : 'item');
}

export interface DynamoDbMeter extends HttpMeter {
  readonly charges: Charge[];
}

/**
 * @param endpoint of the DynamoDB behind
 * @param prefix of the tables' names
 */
export async function openDynamoDbMeter(endpoint: string, prefix: string): Promise<DynamoDbMeter> {
  const charges: Charge[] = [];
  const credentials = { accessKeyId: 'meter', secretAccessKey: 'meter' };
  const looking = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  const lines = new Map<string, Promise<unknown>>();

  /** Writes to one item pass one after the other, so that what was before and after belongs to this write. */
  function inLine<T>(key: string, act: () => Promise<T>): Promise<T> {
    const turn = (lines.get(key) ?? Promise.resolve()).then(act, act);
    lines.set(key, turn);
    return turn;
  }

  async function write(operation: string, input: Input, pass: () => Promise<Answered>): Promise<Answered> {
    const { table, definition } = tableOf(input.TableName);
    const given = input.Key ?? input.Item ?? {};
    const names = [definition.partitionKey.name, ...(definition.sortKey ? [definition.sortKey.name] : [])];
    const Key = Object.fromEntries(names.map((name) => [name, given[name] as AttributeValue]));
    return inLine(`${table}/${JSON.stringify(Key)}`, async () => {
      const look = async () =>
        (await looking.send(new GetItemCommand({ TableName: input.TableName, Key, ConsistentRead: true })))
          .Item;
      const before = await look();
      const answer = await pass();
      const refused = answer.status !== 200;
      const after = refused ? before : await look();
      charges.push({
        table,
        what: `${operation} ${kindOf(Key[definition.partitionKey.name]?.S ?? '')}${refused ? ' (condition lost)' : ''}`,
        readUnits: 0,
        writeUnits: writeUnits(Math.max(itemSize(before ?? {}), itemSize(after ?? {}))),
        indexWriteUnits: indexUnits(definition, before, after),
        standing: false,
      });
      return answer;
    });
  }

  function tableOf(name: string): { table: string; definition: TableDefinition } {
    const table = name.slice(prefix.length);
    const definition = Object.entries<TableDefinition>(TABLES).find(([one]) => one === table)?.[1];
    if (!definition) throw new Error(`there is no table ${name}`);
    return { table, definition };
  }

  function chargeRead(operation: string, input: Input, answered: string): void {
    const output = JSON.parse(answered) as {
      Item?: Item;
      Items?: Item[];
      Responses?: Record<string, Item[]>;
    };
    const charge = (tableName: string, what: string, units: number, standing = false) =>
      charges.push({
        table: tableOf(tableName).table,
        what,
        readUnits: units,
        writeUnits: 0,
        indexWriteUnits: 0,
        standing,
      });
    if (operation === 'GetItem') {
      const key = Object.values(input.Key ?? {})[0]?.S ?? '';
      const units = readUnits(itemSize(output.Item ?? {}), input.ConsistentRead);
      charge(input.TableName, `GetItem ${kindOf(key)}`, units);
    } else if (operation === 'Query') {
      const bytes = (output.Items ?? []).reduce((sum, item) => sum + itemSize(item), 0);
      const units = readUnits(bytes, input.ConsistentRead);
      charge(input.TableName, `Query ${input.IndexName}`, units, input.IndexName === 'DueIndex');
    } else if (operation === 'BatchGetItem') {
      for (const [name, { Keys, ConsistentRead }] of Object.entries(input.RequestItems ?? {})) {
        const found = output.Responses?.[name] ?? [];
        const missing = (Keys.length - found.length) * readUnits(0, ConsistentRead);
        const units = found.reduce((sum, item) => sum + readUnits(itemSize(item), ConsistentRead), missing);
        charge(name, 'BatchGetItem record', units);
      }
    } else {
      throw new Error(`nobody taught the meter what ${operation} costs`);
    }
  }

  const meter = await openHttpMeter(
    () => endpoint,
    async (asked: Asked, pass) => {
      const operation = String(asked.headers['x-amz-target']).split('.')[1] ?? '';
      const input = JSON.parse(asked.body.toString('utf8')) as Input;
      if (WRITES.has(operation)) return write(operation, input, pass);
      const answer = await pass();
      if (answer.status === 200) chargeRead(operation, input, answer.body.toString('utf8'));
      return answer;
    },
  );
  return {
    url: meter.url,
    charges,
    async stop() {
      await meter.stop();
      looking.destroy();
    },
  };
}
