import { expect, it } from 'vitest';
import { createUserContextStore } from '../core/stores/user-context-store.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { holdFocus } from './held-focus.ts';

const db = useDynamoDb();

const ANA = 'slack:T01FERRY:U01ANA';
const here = { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01', threadTs: '1.1' } as const;
const there = { ...here, threadTs: '2.2' } as const;
const exchange = { at: 1, thread: here, text: 'ls s3://b/', reply: 'listed' };

it('shows at once what was spoken of, and writes it with the exchange of its thread alone', async () => {
  const stored = createUserContextStore({ client: db.documents, tablePrefix: db.prefix, now: Date.now });
  const contexts = holdFocus(stored);
  await contexts.focusOn(ANA, here, { object: { bucket: 'b', key: 'k' } });
  await contexts.focusOn(ANA, there, { transferId: 'TRF-0000000001' });
  expect((await contexts.get(ANA)).foci).toHaveLength(2);
  expect((await stored.get(ANA)).foci).toEqual([]);
  await contexts.append(ANA, exchange);
  const { foci, exchanges } = await stored.get(ANA);
  expect(foci.map(({ focus }) => focus)).toEqual([{ object: { bucket: 'b', key: 'k' } }]);
  expect(exchanges).toHaveLength(1);
  expect((await contexts.get(ANA)).foci).toHaveLength(2);
});

it('forgets what it holds, too', async () => {
  const contexts = holdFocus(
    createUserContextStore({ client: db.documents, tablePrefix: db.prefix, now: Date.now }),
  );
  await contexts.focusOn(ANA, here, { transferId: 'TRF-0000000001' });
  await contexts.forget(ANA);
  expect((await contexts.get(ANA)).foci).toEqual([]);
});
