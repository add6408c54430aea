/** `npm run verify [-- --json] [-- --secrets NAME …] [-- --env FILE] [-- --public-url URL]`: prints the findings; the exit code is 1 when one is wrong. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { renderTable } from './report.ts';
import { verify } from './verify.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** A file of settings, beside the environment. */
    env: { type: 'string', default: '.env' },
    secrets: { type: 'string', multiple: true, default: [] },
    'public-url': { type: 'string' },
    'microsoft-login': { type: 'string' },
  },
});
if (existsSync(values.env)) process.loadEnvFile(values.env);

const findings = await verify(process.env, pino({ level: 'silent' }), {
  secrets: values.secrets,
  publicUrl: values['public-url'],
  microsoftLogin: values['microsoft-login'],
});
const right = findings.every(({ status }) => status !== 'wrong');
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ok: right, findings })}\n`
    : `${renderTable(findings, process.stdout.isTTY === true)}\n`,
);
process.exitCode = right ? 0 : 1;
