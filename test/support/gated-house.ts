/** A house with a gate before each outside party, and people who use it through the fake Slack. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { auditBehind } from '../../core/audit.ts';
import { isSettled } from '../../core/due-work.ts';
import { createTurnStore } from '../../core/stores/turn-store.ts';
import type { Transfer } from '../../core/transfer.ts';
import type { Service, ServiceName } from '../../infra/local/services.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { type Environment, REGION, TABLE_PREFIX } from '../../infra/local/stack-environment.ts';
import { type Gate, type Moment, openGate } from '../fakes/gate.ts';
import { type House, useHouse, type WaitOptions, waitFor } from './house.ts';
import { type Asked, Office } from './office.ts';

const PARTIES = ['dynamoDb', 'sqs', 's3', 'sts', 'serviceNow', 'slack'] as const;
export type Party = (typeof PARTIES)[number];
/** Whether this is the moment. */
export type Fits = (moment: Moment, party: Party | 'ftp') => boolean;
type Gates = Readonly<Record<Party, Gate>>;

const policySchema = z.looseObject({
  destinations: z.record(z.string(), z.looseObject({ port: z.number() })),
  rules: z.array(z.looseObject({})),
});
export type PolicyFile = z.infer<typeof policySchema>;

/** A file in S3, where it is to go, and the sentence that asks for it. */
export interface Cargo {
  readonly name: string;
  readonly bytes: Buffer;
  /** On the FTP server. */
  readonly path: string;
  readonly sentence: string;
}

/** Cargo that Ana has asked for. */
export type Shipment = Cargo & { readonly asked: Asked };

export interface GatedHouseOptions {
  /** Changes the policy before anything starts. */
  readonly policy?: (file: PolicyFile, stack: Stack) => void | Promise<void>;
  readonly worker?: Environment;
}

export class GatedHouse {
  #made = 0;
  house!: House;
  office!: Office;
  /** Between each kind of service and its parties. */
  gates!: Readonly<Record<ServiceName, Gates>>;
  /** Between the worker and the destinations that are up: what passes are FTP commands and replies. */
  ftp!: Gate;

  get stack(): Stack {
    return this.house.stack;
  }

  /**
   * Kills a service at the first moment that fits while something goes on: what is asked then never arrives, what
   * is answered then is never heard.
   *
   * @returns what the act came to, once the service is gone
   * @throws Error when the moment did not come
   */
  async killAt<T>(service: Service, fits: Fits, act: () => Promise<T>): Promise<T> {
    let dead = false;
    const gates = Object.entries({ ...this.gates[service.name], ftp: this.ftp }) as [Party | 'ftp', Gate][];
    for (const [party, gate] of gates) {
      gate.onMoment = (moment) => {
        if (!dead && fits(moment, party)) {
          dead = true;
          process.kill(service.pid, 'SIGKILL');
        }
        return dead ? 'cut' : undefined;
      };
    }
    try {
      const result = await act();
      await waitFor(`the moment to kill the ${service.name}`, () => dead);
      await service.exited;
      return result;
    } finally {
      for (const [, gate] of gates) gate.onMoment = undefined;
    }
  }

  put(key: string, body: Uint8Array, bucket = 'finance-exports', more: object = {}): Promise<unknown> {
    return this.stack.s3Admin.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...more }));
  }

  /** Puts a file of random bytes, with a name of its own, into S3. */
  async cargo(size = 2_000): Promise<Cargo> {
    this.#made += 1;
    const name = `file-${String(this.#made).padStart(3, '0')}.bin`;
    const bytes = randomBytes(size);
    await this.put(`flows/${name}`, bytes);
    const sentence = `send s3://finance-exports/flows/${name} to acme-ftp`;
    return { name, bytes, path: `/acme/${name}`, sentence };
  }

  /** Puts a message on a queue, past all gates; on the transfer queue unless another is named. */
  async sendMessage(body: string, queueUrl = this.stack.sqs.queueUrl): Promise<void> {
    const client = new SQSClient({
      endpoint: this.stack.sqs.endpoint,
      useQueueUrlAsEndpoint: false,
      region: REGION,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
    client.destroy();
  }

  /** Has Ana ask for a new file, until the bot is done with that, its audit events included. */
  async shipment(size?: number): Promise<Shipment> {
    const cargo = await this.cargo(size);
    const asked = await this.office.request('ana', cargo.sentence);
    await this.allTurnsDone();
    await this.house.recordWith(asked.transferId, 'asked for and audited', (it) => !auditBehind(it));
    return { ...cargo, asked };
  }

  /** Waits until no bot has a turn in hand, nor one that died: an event that ends three bots is given up. */
  async allTurnsDone(): Promise<void> {
    const turns = createTurnStore({
      client: this.stack.documents,
      tablePrefix: TABLE_PREFIX,
      now: () => Number.MAX_SAFE_INTEGER,
      parse: () => undefined,
    });
    await waitFor('all turns to be done', async () => (await turns.listAbandoned(1)).length === 0, {
      withinMs: 60_000,
    });
  }

  /** Waits until nothing is owed to anybody any more; if that never comes, the error tells the record's story. */
  async done(transferId: string, status: Transfer['status'], options?: WaitOptions): Promise<Transfer> {
    const holds = (it: Transfer) => it.status === status && isSettled(it);
    try {
      return await this.house.recordWith(transferId, `${status} and told to everybody`, holds, options);
    } catch (error) {
      const { history, tickets, messages } = await this.house.record(transferId);
      const story = history.map(({ at, text }) => `${new Date(at).toISOString()} ${text}`);
      const told = messages.map(({ role, shownThrough }) => `${role} through ${shownThrough}`);
      throw new Error([String(error), ...story, JSON.stringify(tickets), ...told].join('\n'));
    }
  }

  /** The transfer's tickets, duplicates that were retired included. */
  ticketsOf(transferId: string) {
    return this.stack.serviceNow
      .incidents()
      .filter(({ correlationId }) => correlationId.startsWith(transferId));
  }

  /** The transfer's temporary files at the destinations. */
  async temporaryFiles({ transferId }: Pick<Asked, 'transferId'>): Promise<string[]> {
    const files = await this.stack.ftp.files();
    return files.filter((path) => path.includes(`/.fileferry-${transferId}`));
  }

  /** Whatever happened on the way: one decision, two tickets, one message of each kind, and every card closed. */
  expectToldOnce(transfer: Transfer, { root }: Pick<Asked, 'root'>): void {
    const { transferId, history } = transfer;
    const tickets = this.ticketsOf(transferId);
    expect(tickets, transferId).toHaveLength(2);
    expect(tickets.every(({ state }) => state === '7' || state === '8')).toBe(true);
    for (const { notes } of tickets) expect(new Set(notes).size, notes.join('\n')).toBe(notes.length);
    expect(history.filter(({ status }) => status === 'approved')).toHaveLength(1);
    expect(history.filter(({ status }) => status === 'completed')).toHaveLength(1);
    const thread = this.office.thread(root);
    const marks = thread.map(({ blocks }) => z.object({ block_id: z.string() }).parse(blocks?.[0]).block_id);
    expect(marks).toEqual(['approval', 'progress', 'outcome/1'].map((role) => `ff:${transferId}/${role}`));
    expect(thread.flatMap((message) => this.office.buttonsOf(message))).toEqual([]);
  }

  /** Waits until the file is delivered: once, whole, and told once. */
  async delivered({ asked, path, bytes }: Shipment, withinMs = 90_000): Promise<Transfer> {
    const transfer = await this.done(asked.transferId, 'completed', { withinMs });
    this.expectToldOnce(transfer, asked);
    const arrived = await this.stack.ftp.read(path);
    expect(arrived.equals(bytes), `${path} has the right bytes`).toBe(true);
    return transfer;
  }
}

const SHORT: Environment = { LEASE_SECONDS: '3', RECONCILE_SECONDS: '1', PROGRESS_SECONDS: '3' };

/** The settings by which a service speaks through its gates. */
function through(gates: Gates, office: Office): Environment {
  return {
    ...office.settings(`${gates.slack.url}/api/`),
    ...SHORT,
    AWS_ENDPOINT_URL_DYNAMODB: gates.dynamoDb.url,
    AWS_ENDPOINT_URL_SQS: gates.sqs.url,
    AWS_ENDPOINT_URL_S3: gates.s3.url,
    AWS_ENDPOINT_URL_STS: gates.sts.url,
    SERVICENOW_URL: gates.serviceNow.url,
  };
}

/** The `count`th moment that fits, and all after it. */
export function nth(count: number, fits: Fits = () => true): Fits {
  let left = count;
  return (moment, party) => {
    if (left > 0 && fits(moment, party)) left -= 1;
    return left === 0;
  };
}

/** Opens it before the tests of this file and closes it after them; what crashes leave is taken over within seconds. */
export function useGatedHouse(options: GatedHouseOptions = {}): GatedHouse {
  const gated = new GatedHouse();
  const opened: Gate[] = [];
  const open = async (target: number | string) => {
    const gate = await openGate(target);
    opened.push(gate);
    return gate;
  };
  // Registered first, so that it runs last.
  afterAll(async () => {
    await Promise.all(opened.map((gate) => gate.stop()));
    await gated.office?.close();
  });

  async function gatesTo(stack: Stack): Promise<Gates> {
    const targets: Record<Party, string> = {
      dynamoDb: stack.dynamoDb.endpoint,
      sqs: stack.sqs.endpoint,
      s3: stack.s3.endpoint,
      sts: stack.sts.endpoint,
      serviceNow: stack.serviceNow.url,
      slack: gated.office.slack.url,
    };
    const gates = PARTIES.map(async (party) => [party, await open(targets[party])] as const);
    return Object.fromEntries(await Promise.all(gates)) as Record<Party, Gate>;
  }

  gated.house = useHouse({
    slack: 'none',
    async prepare(stack) {
      gated.office = await Office.open(() => gated.house.bot.url);
      gated.gates = { bot: await gatesTo(stack), worker: await gatesTo(stack) };
      gated.ftp = await open(stack.ftp.port);
      const file = policySchema.parse(parse(await readFile(stack.configFile, 'utf8')));
      for (const destination of Object.values(file.destinations)) {
        if (destination.port === stack.ftp.port) destination.port = gated.ftp.port;
      }
      await options.policy?.(file, stack);
      await writeFile(stack.configFile, stringify(file));
    },
    bot: () => through(gated.gates.bot, gated.office),
    worker: () => ({ ...through(gated.gates.worker, gated.office), ...options.worker }),
  });
  return gated;
}
