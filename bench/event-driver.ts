/** A thread that posts signed events at a steady rate, whatever the answers do, and times each acknowledgement. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { postSignedJson } from '../test/fakes/slack-signer.ts';

/** What Slack would post, and whether it does so for the second time. */
export interface Delivery {
  readonly body: object;
  readonly again: boolean;
}

export interface DriverOrder {
  readonly url: string;
  readonly secret: string;
  readonly perSecond: number;
  readonly deliveries: readonly Delivery[];
}

export interface DriverReport {
  /** Milliseconds from when each event was due to be sent until it was acknowledged. */
  readonly milliseconds: readonly number[];
  /** How many were not answered with 200. */
  readonly refused: number;
}

async function drive({ url, secret, perSecond, deliveries }: DriverOrder): Promise<DriverReport> {
  const milliseconds: number[] = [];
  let refused = 0;
  const start = performance.now();
  const posts: Promise<void>[] = [];
  for (const [index, { body, again }] of deliveries.entries()) {
    // Counted from when it was due: a driver that waits for slow answers would hide them.
    const due = start + (index * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    const post = postSignedJson({ url, secret, ...(again && { retryNum: 1 }) }, body).then(
      async (response) => {
        await response.arrayBuffer();
        milliseconds.push(performance.now() - due);
        if (response.status !== 200) refused += 1;
      },
      () => {
        refused += 1;
      },
    );
    posts.push(post);
  }
  await Promise.all(posts);
  return { milliseconds, refused };
}

parentPort?.postMessage(await drive(workerData as DriverOrder));
