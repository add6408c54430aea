/** The workers of a round of chaos: processes that are killed at random moments and followed by others. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { ChaosWorkerOrder } from './worker.ts';

const WORKERS = 2;
const WORKER = join(import.meta.dirname, 'worker.ts');

/** The workers at any time: one that is killed is followed by another. */
export function createCrew(order: ChaosWorkerOrder) {
  const log: string[] = [];
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        log.push(...String(chunk).trimEnd().split('\n'));
        log.splice(0, log.length - 20_000);
      });
    }
    return child;
  };
  const children = Array.from({ length: WORKERS }, start);
  const over = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
  const end = async (child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM') => {
    if (over(child)) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  let stopped: Promise<unknown> | undefined;
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  return {
    log,
    async kill(which: number): Promise<void> {
      const child = children[which];
      if (!child || stopped) return;
      await end(child, 'SIGKILL');
      children[which] = start();
    },
    stop: () => {
      stopped ??= Promise.all(children.map((child) => end(child, 'SIGTERM')));
      return stopped;
    },
  };
}

/**
 * Kills at random moments until all has ended; gives how often.
 *
 * @param options.killEveryMs longest time between two
 */
export async function harass(
  crew: ReturnType<typeof createCrew>,
  random: Random,
  options: { readonly killEveryMs: number; readonly kills: number },
  ended: Promise<unknown>,
): Promise<number> {
  let over = false;
  const end = ended.then(() => {
    over = true;
  });
  let kills = 0;
  while (!over && kills < options.kills) {
    await Promise.race([
      delay(options.killEveryMs * (0.4 + 0.6 * random.next()), undefined, { ref: false }),
      end,
    ]);
    if (over) break;
    await crew.kill(random.between(0, WORKERS - 1));
    kills += 1;
  }
  await end;
  return kills;
}
