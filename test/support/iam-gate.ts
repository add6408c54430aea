/** A gate before DynamoDB or SQS that lets through what a role's policy allows, and remembers what it refused. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AccessPolicy, isAllowed } from '../../infra/local/access-policy.ts';
import { closeServer, listenLocally } from '../../infra/local/listen.ts';
import { ACCOUNT, TEST_REGION } from './cloud.ts';

export interface IamGate {
  readonly endpoint: string;
  /** `action resource`, each once. */
  readonly used: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  stop(): Promise<void>;
}

interface Body {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly QueueUrl?: string;
}

/** What a request of the JSON protocols asks for, as IAM sees it. */
function questionsOf(target: string, body: Body): { action: string; resource: string }[] {
  const [api = '', operation = ''] = target.split('.');
  if (api.startsWith('DynamoDB_')) {
    const action = `dynamodb:${operation}`;
    const table = (name: string) => `arn:aws:dynamodb:${TEST_REGION}:${ACCOUNT}:table/${name}`;
    if (body.RequestItems)
      return Object.keys(body.RequestItems).map((name) => ({ action, resource: table(name) }));
    const index = body.IndexName ? `/index/${body.IndexName}` : '';
    return [{ action, resource: `${table(body.TableName ?? '')}${index}` }];
  }
  const queue = new URL(body.QueueUrl ?? 'http://none/').pathname.split('/').at(-1);
  return [{ action: `sqs:${operation}`, resource: `arn:aws:sqs:${TEST_REGION}:${ACCOUNT}:${queue}` }];
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return text;
}

/** @param upstream where the real server listens */
export async function startIamGate(policy: AccessPolicy, upstream: string): Promise<IamGate> {
  const used = new Set<string>();
  const refused = new Set<string>();

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const text = await textOf(incoming);
    const target = String(incoming.headers['x-amz-target'] ?? '');
    const questions = questionsOf(target, JSON.parse(text || '{}') as Body);
    const denied = questions.filter((question) => !isAllowed([policy], question));
    for (const { action, resource } of questions) used.add(`${action} ${resource}`);
    if (denied.length > 0) {
      for (const { action, resource } of denied) refused.add(`${action} ${resource}`);
      const error = { __type: 'com.amazon.coral.service#AccessDeniedException', message: 'not authorized' };
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(error));
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request(new URL(url ?? '/', upstream), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    onward.end(text);
  }

  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const endpoint = await listenLocally(server);
  return { endpoint, used, refused, stop: () => closeServer(server) };
}
