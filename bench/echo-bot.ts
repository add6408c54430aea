/** The barest bot that can be: checks Slack's signature, acknowledges, and repeats what it was told in the thread. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { listenLocally } from '../infra/local/listen.ts';

const [slackUrl = '', token = '', secret = ''] = process.argv.slice(2);

function isSigned(timestamp: unknown, signature: unknown, body: string): boolean {
  const expected = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  const given = Buffer.from(String(signature));
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected));
}

async function echo({ channel, ts, text }: Record<string, string>): Promise<void> {
  await fetch(`${slackUrl}chat.postMessage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: new URLSearchParams({ channel, thread_ts: ts, text } as Record<string, string>),
  }).then((response) => response.arrayBuffer());
}

const server = createServer(async (req, res) => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = req.headers;
  res.writeHead(isSigned(timestamp, signature, body) ? 200 : 401).end();
  const { event } = JSON.parse(body);
  if (event.type === 'app_mention') void echo(event);
});
process.stdout.write(`${await listenLocally(server)}\n`);
