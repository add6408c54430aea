/** `npm run demo`: the whole walk on the local stack, told in the terminal; exits 0 only if all of it held. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogLine, type Service, startService } from './services.ts';
import { slackStage } from './slack-stage.ts';
import { type Stack, startStack } from './stack.ts';
import type { Stage } from './stage.ts';
import { playStory } from './story.ts';
import { teamsStage } from './teams-stage.ts';
import { tidyLog } from './terminal.ts';

const json = process.argv.includes('--json');
/** The story plays in Teams instead of Slack. */
const inTeams = process.argv.includes('--teams');
const began = Date.now();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(signal));

const say = (text: string) => console.log(text);
/** The services' last lines, shown only when something went wrong. */
const log: LogLine[] = [];
const keep = (line: LogLine) => {
  if (line.msg === 'metrics') return;
  log.push(line);
  if (log.length > 200) log.shift();
};

function stageOf({ slack, teams }: Stack, botUrl: string): Stage {
  if (teams) return teamsStage(teams, botUrl);
  if (slack) return slackStage(slack);
  throw new Error('the story needs a chat');
}

const folder = await mkdtemp(join(tmpdir(), 'fileferry-demo-'));
let stack: Stack | undefined;
const services: Service[] = [];
let exitCode = 1;
let lastLine = '';
try {
  say(
    `FileFerry demo: DynamoDB, SQS, S3, STS, FTP, ServiceNow and ${inTeams ? 'a fake Teams' : 'Slack'} start on free ports of this machine …`,
  );
  stack = await startStack({
    ...(inTeams ? { slack: 'none', teams: 'fake' } : { slack: 'socket' }),
    folder,
    bytesPerSecond: 1_200_000,
  });
  services.push(
    ...(await Promise.all([
      startService('bot', stack.environmentForBot(), keep),
      startService('worker', stack.environmentForWorker(), keep),
    ])),
  );
  say(
    `the stack, the bot (pid ${services[0]?.pid}) and the worker (pid ${services[1]?.pid}) run after ${((Date.now() - began) / 1000).toFixed(1)} s`,
  );
  const failed = Promise.race(
    services.map(async ({ name, exited }) => {
      const code = await exited;
      throw new Error(`the ${name} ended unexpectedly (${code})`);
    }),
  );
  failed.catch(() => {});
  const stage = stageOf(stack, services[0]?.url ?? '');
  const result = await Promise.race([playStory(stack, stage, say, stopping.signal), failed]);
  say(`\n✅ ${result.transferId}: ${result.bytes} bytes delivered and compared in ${result.seconds} s`);
  lastLine = JSON.stringify(result);
  exitCode = 0;
} catch (error) {
  if (stopping.signal.aborted) say('\nstopped');
  else {
    for (const line of log.slice(-40)) console.error(tidyLog(line));
    console.error(`\n❌ ${error instanceof Error ? error.message : error}`);
    lastLine = JSON.stringify({
      status: 'failed',
      error: error instanceof Error ? error.message : String(error),
    });
  }
} finally {
  await Promise.all(services.map((service) => service.stop()));
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}
if (json && lastLine) console.log(lastLine);
process.exit(exitCode);
