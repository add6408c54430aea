/** UserContext: a person's last exchanges and preferences, small, their own, and forgotten after 30 days of silence. */
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { FerryError } from '../errors.ts';
import { type Focus, fociSchema, withFocus } from '../focus.ts';
import { type ThreadRef, threadRefSchema } from '../thread-ref.ts';
import { expiresAt, isAlive, LIFETIME, lostCondition, storeFault } from './items.ts';
import { createOwnTurn } from './own-turn.ts';
import { pack, unpack } from './packed.ts';

const MAX_EXCHANGES = 10;
/** UTF-16 units of what was said, and of the summary of the reply; ten of both stay below 70 KB. */
const MAX_SAID = 1_000;
const MAX_PREFERENCES = 30;
const MAX_PREFERENCE_NAME = 50;
const MAX_PREFERENCE = 500;
const MAX_TRIES = 50;
/** Ten exchanges repeat themselves: packed, they are a kilobyte or two. */
const PACKED = new Set(['exchanges', 'foci']);
/** How long a change waits for this process's own change before it, in milliseconds: nobody waits for what is remembered. */
const PATIENCE_MS = 10_000;

const exchangeSchema = z.strictObject({
  /** Epoch milliseconds. */
  at: z.number().int(),
  thread: threadRefSchema,
  /** What the person said; untrusted. */
  text: z.string(),
  /** What FileFerry answered, in short. */
  reply: z.string(),
});
export type Exchange = z.infer<typeof exchangeSchema>;

const contextSchema = z.strictObject({
  /** Oldest first. */
  exchanges: z.array(exchangeSchema),
  preferences: z.record(z.string(), z.string()),
  /** What was spoken of last, thread by thread. */
  foci: fociSchema,
});
export type UserContext = z.infer<typeof contextSchema>;

/** What a person used of a language model. */
export interface Spent {
  readonly tokens: number;
  /** US dollars. */
  readonly usd: number;
}

/** Tokens of a language model that a person used in one day, UTC. */
const tokensSchema = z.strictObject({
  day: z.string(),
  used: z.number().int().nonnegative(),
  /** What they cost, in millionths of a US dollar. */
  microUsd: z.number().int().nonnegative().default(0),
});
type Tokens = z.infer<typeof tokensSchema>;

export interface UserContextStore {
  /** A person's context; empty when there is none or its 30 days are over. */
  get(userId: string): Promise<UserContext>;
  /**
   * Adds an exchange, bounded in length, and what was spoken of in its thread; only the newest ten stay. Concurrent ones do
   * not lose each other.
   */
  append(userId: string, exchange: Exchange, news?: Focus): Promise<void>;
  /** Remembers what was spoken of in a thread, in place of what it replaces there. */
  focusOn(userId: string, thread: ThreadRef, news: Focus): Promise<void>;
  /**
   * Sets a preference, or removes it with undefined.
   *
   * @throws FerryError `bad_input` for a name or value that is too long, or one preference too many
   */
  prefer(userId: string, name: string, value: string | undefined): Promise<void>;
  /**
   * Forgets all that is known of the person. What they used of today's tokens stays as a bare number until midnight,
   * or forgetting would be a way around the limit.
   */
  forget(userId: string): Promise<void>;
  /** What the person used today, UTC. */
  spentToday(userId: string): Promise<Spent>;
  /** Adds to that. */
  spend(userId: string, spent: Spent): Promise<void>;
}

const EMPTY: UserContext = { exchanges: [], preferences: {}, foci: [] };

const clipped = (text: string) => text.slice(0, MAX_SAID).toWellFormed();

function withExchange(context: UserContext, exchange: Exchange): UserContext {
  const added = { ...exchange, text: clipped(exchange.text), reply: clipped(exchange.reply) };
  const exchanges = [...context.exchanges, added].sort((a, b) => a.at - b.at).slice(-MAX_EXCHANGES);
  return { ...context, exchanges };
}

function withPreference(context: UserContext, name: string, value: string | undefined): UserContext {
  const { [name]: _before, ...others } = context.preferences;
  return { ...context, preferences: value === undefined ? others : { ...others, [name]: value } };
}

export function createUserContextStore(options: {
  client: DynamoDBDocumentClient;
  tablePrefix: string;
  now: () => number;
}): UserContextStore {
  const { client, now } = options;
  const TableName = `${options.tablePrefix}UserContext`;
  const fail = (error: unknown): never => {
    throw storeFault(error);
  };

  const today = () => new Date(now()).toISOString().slice(0, 10);

  /** The context with the version to write on; version 0 when the item does not exist, alive or not. */
  async function read(
    userId: string,
  ): Promise<{ context: UserContext; tokens: Tokens | undefined; version: number }> {
    const { Item } = await client
      .send(new GetCommand({ TableName, Key: { user_id: userId }, ConsistentRead: true }))
      .catch(fail);
    const { exchanges, preferences, foci } = Item && isAlive(Item, now()) ? unpack(Item) : {};
    const tokens = tokensSchema.safeParse(Item?.tokens).data;
    return {
      tokens: tokens?.day === today() ? tokens : undefined,
      context: contextSchema.parse({
        exchanges: exchanges ?? [],
        preferences: preferences ?? {},
        foci: foci ?? [],
      }),
      version: Number(Item?.version ?? 0),
    };
  }

  const inOwnTurn = createOwnTurn(PATIENCE_MS);
  const change = (
    userId: string,
    next: (context: UserContext) => UserContext,
    more: Spent = { tokens: 0, usd: 0 },
  ): Promise<void> => inOwnTurn(userId, () => write(userId, next, more));

  async function write(
    userId: string,
    next: (context: UserContext) => UserContext,
    more: Spent,
  ): Promise<void> {
    for (let tried = 0; tried < MAX_TRIES; tried += 1) {
      const { context, tokens, version } = await read(userId);
      const spent = (tokens?.used ?? 0) + more.tokens;
      const microUsd = (tokens?.microUsd ?? 0) + Math.ceil(more.usd * 1e6);
      const Item = {
        user_id: userId,
        ...next(context),
        ...(spent > 0 ? { tokens: { day: today(), used: spent, microUsd } } : {}),
        version: version + 1,
        expires_at: expiresAt(now(), LIFETIME.userContext),
      };
      try {
        await client.send(
          new PutCommand({
            TableName,
            Item: pack(Item, PACKED),
            ...(version === 0
              ? { ConditionExpression: 'attribute_not_exists(user_id)' }
              : {
                  ConditionExpression: '#version = :version',
                  ExpressionAttributeNames: { '#version': 'version' },
                  ExpressionAttributeValues: { ':version': version },
                }),
          }),
        );
        return;
      } catch (error) {
        lostCondition(error);
        await delay(Math.random() * 10 * (tried + 1));
      }
    }
    throw new FerryError('conflict', {
      retryable: true,
      userMessage: 'Too much happened at once. Please try again.',
    });
  }

  return {
    get: async (userId) => (await read(userId)).context,
    append: (userId, exchange, news) =>
      change(userId, (context) => ({
        ...withExchange(context, exchange),
        ...(news ? { foci: withFocus(context.foci, exchange.thread, news) } : {}),
      })),

    focusOn: (userId, thread, news) =>
      change(userId, (context) => ({ ...context, foci: withFocus(context.foci, thread, news) })),

    async prefer(userId, name, value) {
      if (name.length > MAX_PREFERENCE_NAME || (value?.length ?? 0) > MAX_PREFERENCE) {
        throw new FerryError('bad_input', { userMessage: 'That is too long to remember as a preference.' });
      }
      await change(userId, (context) => {
        const next = withPreference(context, name, value);
        if (Object.keys(next.preferences).length > MAX_PREFERENCES) {
          throw new FerryError('bad_input', {
            userMessage: `I can remember ${MAX_PREFERENCES} preferences; please remove one first.`,
          });
        }
        return next;
      });
    },

    async spentToday(userId) {
      const { tokens } = await read(userId);
      return { tokens: tokens?.used ?? 0, usd: (tokens?.microUsd ?? 0) / 1e6 };
    },
    spend: (userId, spent) => change(userId, (context) => context, spent),

    async forget(userId) {
      if ((await read(userId)).tokens) return change(userId, () => EMPTY);
      await client.send(new DeleteCommand({ TableName, Key: { user_id: userId } })).catch(fail);
    },
  };
}
