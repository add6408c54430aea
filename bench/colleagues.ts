/** Ana, who asks over signed HTTP, and Bob, who approves, for as many transfers as a measurement wants. */
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { isSettled } from '../core/due-work.ts';
import { buttonsOf } from '../infra/local/slack-people.ts';
import { PEOPLE, SLACK_APP, TRANSFERS_CHANNEL } from '../infra/local/slack-workspace.ts';
import type { Stack } from '../infra/local/stack.ts';
import type { HttpSlack } from '../test/support/http-slack.ts';

const PROBE_MS = 100;
const PATIENCE_MS = 180_000;

/** Asks again and again until there is an answer. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain for ${what}`);
    await delay(PROBE_MS);
  }
}

/** One whole transfer of a small file: asked for, approved, delivered, and told to everybody. */
export async function oneTransfer(stack: Stack, slack: HttpSlack, number: number): Promise<void> {
  const name = `file-${String(number).padStart(4, '0')}.bin`;
  const Key = `reports/2026/Q4/${name}`;
  await stack.s3Admin.send(
    new PutObjectCommand({ Bucket: 'finance-exports', Key, Body: Buffer.alloc(20_000, number) }),
  );
  const { people } = slack;
  const root = await people.sendMessage({
    channel: TRANSFERS_CHANNEL.id,
    user: PEOPLE.ana.id,
    text: `<@${SLACK_APP.botUserId}> send s3://finance-exports/${Key} to acme-ftp`,
  });
  const { card, button } = await until(`the proposal of ${name}`, () => {
    for (const message of slack.server.messages(TRANSFERS_CHANNEL.id)) {
      if (message.thread_ts !== root.ts) continue;
      const blocks = message.blocks as { type: string }[];
      const found = buttonsOf({ ts: message.ts, blocks }).find(({ actionId }) => actionId === 'approve');
      if (found) return { card: message, button: found };
    }
    return undefined;
  });
  await people.interact({
    channel: TRANSFERS_CHANNEL.id,
    messageTs: card.ts,
    user: PEOPLE.bob.id,
    button,
  });
  const { t: transferId } = JSON.parse(button.value) as { t: string };
  await until(`${transferId} to be completed`, async () => {
    const transfer = await stack.transfers.get(transferId);
    if (transfer?.status === 'failed') throw new Error(`${transferId} failed`);
    return transfer?.status === 'completed' && isSettled(transfer) ? transfer : undefined;
  });
}
