/** `npm start`: the local stack with bot and worker, up until Ctrl-C, for a person to play Ana and Bob. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { writePlaygroundFile } from './agents-playground.ts';
import { localScript } from './bedrock-script.ts';
import { localSlackBinary } from './local-slack.ts';
import { type Service, startService } from './services.ts';
import { SLACK_APP, TRANSFERS_CHANNEL } from './slack-workspace.ts';
import { type Stack, startStack } from './stack.ts';
import { tidyLog } from './terminal.ts';

/** Teams instead of Slack, played by hand in Microsoft's Agents Playground. */
const inTeams = process.argv.includes('--teams');

if (!inTeams && !localSlackBinary()) {
  console.error(
    [
      `There is no local Slack for ${process.platform}-${process.arch} among FileFerry's packages, so npm start cannot play here.`,
      'Run the tests with npm test, or start against a real Slack workspace with npm run start:bot and npm run start:worker (see the README).',
      'On a platform that it supports, the same local Slack runs with: npx local-slack',
    ].join('\n'),
  );
  process.exit(1);
}

const stopped = Promise.withResolvers<string>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(signal));

const folder = join(import.meta.dirname, '..', '..', '.fileferry');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

let stack: Stack | undefined;
const services: Service[] = [];
let exitCode = 0;
try {
  stack = await startStack({
    ...(inTeams ? { slack: 'none', teams: 'elsewhere' } : { slack: 'socket' }),
    folder,
    bytesPerSecond: 1_200_000,
    // npm start -- --model: sentences go through the model's planner, to a stand-in.
    ...(process.argv.includes('--model') ? { model: localScript } : {}),
  });
  const show = (line: Parameters<typeof tidyLog>[0]) => {
    if (line.msg !== 'metrics') console.log(tidyLog(line));
  };
  for (const name of ['bot', 'worker'] as const) {
    const env = name === 'bot' ? stack.environmentForBot() : stack.environmentForWorker();
    const service = await startService(name, env, show);
    services.push(service);
    void service.exited.then((code) => stopped.resolve(`the ${name} ended (${code})`));
  }
  // What an operator's programs need to look at this stack: the settings of both services, with a key that may look.
  const { accessKeyId, secretAccessKey } = stack.adminKey;
  const settings = {
    ...stack.environmentForBot(),
    ...stack.environmentForWorker(),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const lines = Object.entries(settings).map(([setting, value]) => `${setting}=${JSON.stringify(value)}\n`);
  await writeFile(join(folder, 'operator.env'), lines.join(''));
  const heading = (text: string) => styleText('bold', text);
  const bot = services.find(({ name }) => name === 'bot');
  if (inTeams) await writePlaygroundFile(folder);
  const chat = inTeams
    ? `Teams        cd .fileferry && npx @microsoft/m365agentsplayground -e ${bot?.url}/api/messages -c msteams`
    : `Slack        ${stack.slack?.webUrl}   choose who you are with "Act as": Ana asks, Bob approves`;
  console.log(`
${heading('FileFerry is up.')}

  ${chat}
  ServiceNow   ${stack.serviceNow.url}   the tickets
  FTP folder   ${stack.ftp.folder}
  health       ${services.map(({ name, url }) => `${name} ${url}/readyz`).join('   ')}

${heading(`Try in #${TRANSFERS_CHANNEL.name}`)} (as Ana, then press Approve as Bob)
  @${SLACK_APP.botName} send s3://finance-exports/reports/2026/Q3/q3-report.pdf to acme-ftp
  @${SLACK_APP.botName} send events/2026/11/*.parquet in data-lake-raw to partner-ftp
  @${SLACK_APP.botName} list buckets
  @${SLACK_APP.botName} help
${heading('Or as Ana in the direct messages')}
  where is my transfer?
  my transfers

${heading('Or as an operator, in another terminal')}
  npm run verify -- --env .fileferry/operator.env
  npm run audit -- --env .fileferry/operator.env TRF-…

Ctrl-C ends everything. The log of bot and worker follows.
`);
  const why = await stopped.promise;
  if (!why.startsWith('SIG')) {
    console.error(`\n❌ ${why}`);
    exitCode = 1;
  }
} catch (error) {
  console.error(`❌ ${error instanceof Error ? error.message : error}`);
  exitCode = 1;
} finally {
  console.log('\nstopping …');
  await Promise.all(services.map((service) => service.stop()));
  await stack?.stop();
}
process.exit(exitCode);
