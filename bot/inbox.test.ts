import { pino } from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ChatEvent, chatEventSchema, type MessageEvent } from '../adapters/chat-event.ts';
import { FerryError } from '../core/errors.ts';
import { createTurnStore, type TurnStore } from '../core/stores/turn-store.ts';
import { useDynamoDb } from '../test/support/dynamodb.ts';
import { ana, NOON } from '../test/support/transfers.ts';
import { createInbox } from './inbox.ts';

const dynamo = useDynamoDb();
let clock = NOON;
let turns: TurnStore<ChatEvent>;
beforeAll(() => {
  turns = createTurnStore({
    client: dynamo.documents,
    tablePrefix: dynamo.prefix,
    now: () => clock,
    parse: (stored) => chatEventSchema.safeParse(stored).data,
  });
});

let said = 0;
function message(changes: Partial<MessageEvent> = {}): MessageEvent {
  said += 1;
  return {
    kind: 'message',
    key: `slack:T01FERRY:C01OPS:${said}`,
    person: ana,
    thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C01OPS', threadTs: '1.1' },
    receivedAt: NOON,
    scope: 'channel',
    command: false,
    text: 'help',
    truncated: false,
    ...changes,
  };
}

function inbox(work: (event: ChatEvent, signal: AbortSignal, again: boolean) => Promise<void>) {
  const apologize = vi.fn(async (_event: ChatEvent, _error: FerryError) => {});
  const log = pino({ level: 'silent' });
  return { apologize, box: createInbox({ turns, work, apologize, log, holdMs: 15_000 }) };
}

describe('the inbox', () => {
  it('works a message off once, however often and from however many replicas it is delivered', async () => {
    const work = vi.fn(async () => {});
    const [one, two] = [inbox(work), inbox(work)];
    const event = message();
    const answers = await Promise.all([one, two, one, two].map(({ box }) => box.handle(event)));
    await Promise.all([one.box.drain(5_000), two.box.drain(5_000)]);
    expect(answers.filter((answer) => answer === 'accepted')).toHaveLength(1);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('claims an event that comes twice to one replica once, and answers neither before the claim stands', async () => {
    const standing = Promise.withResolvers<void>();
    const claim = vi.fn<TurnStore<ChatEvent>['claim']>(async (...given) => {
      await standing.promise;
      return turns.claim(...given);
    });
    const log = pino({ level: 'silent' });
    const slow = { ...turns, claim };
    const work = async () => {};
    const box = createInbox({ turns: slow, work, apologize: work, log, holdMs: 15_000 });
    const event = message();
    let answered = 0;
    const both = [event, event].map((one) =>
      box.handle(one).finally(() => {
        answered += 1;
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(0);
    standing.resolve();
    expect((await Promise.all(both)).sort()).toEqual(['accepted', 'duplicate']);
    expect(await box.handle(event)).toBe('duplicate');
    expect(claim).toHaveBeenCalledTimes(1);
    await box.drain(5_000);
  });

  it('asks the table again when a claim could not be written', async () => {
    const claim = vi.fn(turns.claim).mockRejectedValueOnce(new Error('the table is away'));
    const log = pino({ level: 'silent' });
    const work = async () => {};
    const box = createInbox({ turns: { ...turns, claim }, work, apologize: work, log, holdMs: 15_000 });
    const event = message();
    await expect(box.handle(event)).rejects.toThrow('away');
    expect(await box.handle(event)).toBe('accepted');
    await box.drain(5_000);
  });

  it('is idle once no turn is under way, and not before', async () => {
    const turn = Promise.withResolvers<void>();
    const { box } = inbox(() => turn.promise);
    await box.idle();
    await box.handle(message());
    let idle = false;
    const becoming = box.idle().then(() => {
      idle = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(idle).toBe(false);
    turn.resolve();
    await becoming;
  });

  it('keeps the order of a conversation and lets another one pass', async () => {
    const order: string[] = [];
    const slow = Promise.withResolvers<void>();
    const passed = Promise.withResolvers<void>();
    const { box } = inbox(async (event) => {
      const { text } = event as MessageEvent;
      if (text === 'first') await slow.promise;
      order.push(text);
      if (text === 'elsewhere') passed.resolve();
    });
    await box.handle(message({ text: 'first' }));
    await box.handle(message({ text: 'second' }));
    await box.handle(
      message({ text: 'elsewhere', thread: { platform: 'slack', teamId: 'T01FERRY', channelId: 'C02' } }),
    );
    await passed.promise;
    slow.resolve();
    await box.drain(5_000);
    expect(order).toEqual(['elsewhere', 'first', 'second']);
  });

  it('says so and releases the claim when a turn fails, so that a redelivery counts', async () => {
    const { box, apologize } = inbox(async () => {
      throw new FerryError('unavailable', { retryable: true, userMessage: 'S3 cannot be reached.' });
    });
    const event = message();
    await box.handle(event);
    await box.drain(5_000);
    expect(apologize).toHaveBeenCalledExactlyOnceWith(
      event,
      expect.objectContaining({ userMessage: 'S3 cannot be reached.' }),
    );
    const again = inbox(async () => {});
    expect(await again.box.handle(event)).toBe('accepted');
    await again.box.drain(5_000);
  });

  it('gives an unknown error a reference that the person can quote', async () => {
    const { box, apologize } = inbox(async () => {
      throw new TypeError('x is undefined');
    });
    await box.handle(message());
    await box.drain(5_000);
    expect(apologize.mock.calls[0]?.[1].userMessage).toMatch(/REF-[0-9A-Z]{8}/);
  });

  it('finishes the turn of a process that died, once, after its hold has lapsed', async () => {
    const event = message();
    await turns.claim(event.key, event, 15_000);
    const work = vi.fn(async () => {});
    const [one, two] = [inbox(work), inbox(work)];
    await one.box.recover();
    expect(work).not.toHaveBeenCalled();
    clock += 15_001;
    await Promise.all([one.box.recover(), two.box.recover()]);
    await Promise.all([one.box.drain(5_000), two.box.drain(5_000)]);
    expect(work).toHaveBeenCalledExactlyOnceWith(event, expect.any(AbortSignal), true);
    expect(await turns.listAbandoned(10)).toEqual([]);
  });

  it('does not take over a turn that it has in hand itself, whatever became of its claim', async () => {
    const event = message();
    const turn = Promise.withResolvers<void>();
    const work = vi.fn(() => turn.promise);
    const { box } = inbox(work);
    await box.handle(event);
    // A database that was away for longer than the claim lasts.
    clock += 60_000;
    await box.recover();
    expect(await turns.listAbandoned(10)).toEqual([]);
    turn.resolve();
    await box.drain(5_000);
    expect(work).toHaveBeenCalledTimes(1);
    clock += 60_000;
    expect(await turns.listAbandoned(10)).toEqual([]);
  });

  it('leaves what it cannot read to another release for a while, and then gives it up', async () => {
    const unreadable = { ...message(), kind: 'of another release' } as unknown as ChatEvent;
    const event = message();
    await turns.claim(unreadable.key, unreadable, 1);
    const work = vi.fn(async () => {});
    const { box, apologize } = inbox(work);
    for (let looks = 0; looks < 3; looks += 1) {
      clock += 60_000;
      if (looks === 0) await turns.claim(event.key, event, -1);
      await box.recover();
      await box.idle();
    }
    expect(work).toHaveBeenCalledExactlyOnceWith(event, expect.any(AbortSignal), true);
    expect(apologize).not.toHaveBeenCalled();
    clock += 60_000;
    expect(await turns.listAbandoned(10)).toEqual([]);
  });

  it('gives an event up that ended its process three times, and says so', async () => {
    const event = message();
    await turns.claim(event.key, event, 1);
    const work = vi.fn(async () => {});
    for (let died = 0; died < 2; died += 1) {
      clock += 1_000;
      await turns.takeOver(event.key, 1);
    }
    clock += 1_000;
    const last = inbox(work);
    await last.box.recover();
    expect(work).not.toHaveBeenCalled();
    expect(last.apologize).toHaveBeenCalledExactlyOnceWith(
      event,
      expect.objectContaining({ userMessage: expect.stringContaining('gave up') }),
    );
    expect(await turns.listAbandoned(10)).toEqual([]);
    expect(await inbox(work).box.handle(event)).toBe('duplicate');
  });

  it('takes nothing new while it drains, so that the platform delivers to another replica', async () => {
    const { box } = inbox(async () => {});
    await box.drain(1_000);
    await expect(box.handle(message())).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });
});
