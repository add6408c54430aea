/** The five DynamoDB tables, defined once as plain data: for the CDK, the local stack and the stores. */

/** `S`: string, `N`: number. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeDefinition.html */
export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N';
}

interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: KeyAttribute;
  readonly sortKey: KeyAttribute;
  readonly projection: 'KEYS_ONLY';
}

export interface TableDefinition {
  readonly partitionKey: KeyAttribute;
  readonly sortKey?: KeyAttribute;
  /** `attribute` holds epoch seconds; `seconds` is how long an item lives. Expiry is checked on read as well. */
  readonly ttl?: { readonly attribute: 'expires_at'; readonly seconds: number };
  readonly indexes: readonly IndexDefinition[];
  readonly billing: 'PAY_PER_REQUEST';
}

const DAY = 24 * 60 * 60;
const string = (name: string): KeyAttribute => ({ name, type: 'S' });
const number = (name: string): KeyAttribute => ({ name, type: 'N' });
const livesFor = (seconds: number) => ({ attribute: 'expires_at', seconds }) as const;

/** By name without the prefix (`FileFerry-` unless `TABLE_PREFIX` says otherwise). */
export const TABLES = {
  ActiveSessions: {
    partitionKey: string('session_token'),
    ttl: livesFor(10),
    indexes: [],
    billing: 'PAY_PER_REQUEST',
  },
  UserContext: {
    partitionKey: string('user_id'),
    ttl: livesFor(30 * DAY),
    indexes: [],
    billing: 'PAY_PER_REQUEST',
  },
  TransferRequests: {
    partitionKey: string('transfer_id'),
    ttl: livesFor(90 * DAY),
    indexes: [
      {
        name: 'UserIdIndex',
        partitionKey: string('user_id'),
        sortKey: number('created_at'),
        projection: 'KEYS_ONLY',
      },
      // Sparse: an item is in it only while it has work that will be due, so a look for it reads nothing else.
      {
        name: 'DueIndex',
        partitionKey: string('due_bucket'),
        sortKey: number('due_at'),
        projection: 'KEYS_ONLY',
      },
    ],
    billing: 'PAY_PER_REQUEST',
  },
  AgentLearning: {
    partitionKey: string('transfer_type'),
    sortKey: string('size_category'),
    indexes: [],
    billing: 'PAY_PER_REQUEST',
  },
  S3FileCache: {
    partitionKey: string('cache_key'),
    ttl: livesFor(DAY),
    indexes: [],
    billing: 'PAY_PER_REQUEST',
  },
} as const satisfies Record<string, TableDefinition>;
