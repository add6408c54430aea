/** Lambda's Runtime API, as a sandbox sees it: hands out events one at a time and takes the answers. */
import { createServer } from 'node:http';
import { closeServer, listenLocally } from '../../infra/local/listen.ts';

export interface LambdaAnswer {
  readonly head: { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> };
  readonly body: string;
}

export interface FakeRuntimeApi {
  /** Host and port, as `AWS_LAMBDA_RUNTIME_API` has them. */
  readonly address: string;
  /** `next` and `response to …`, in the order in which they came. */
  readonly story: string[];
  /** Streamed answers, taken apart. */
  readonly answers: LambdaAnswer[];
  /** Hands an event out, now or to who asks next. */
  deliver(event: object): void;
  stop(): Promise<void>;
}

/** Between a streamed answer's head and its body. */
const END_OF_HEAD = '\0'.repeat(8);

/** @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export async function startLambdaRuntimeApi(): Promise<FakeRuntimeApi> {
  const story: string[] = [];
  const answers: LambdaAnswer[] = [];
  const events: object[] = [];
  let handOut: ((event: object) => void) | undefined;
  let number = 0;

  function meet(): void {
    if (!handOut || events.length === 0) return;
    const [give, event] = [handOut, events.shift() ?? {}];
    handOut = undefined;
    give(event);
  }

  const server = createServer(async (req, res) => {
    if (req.url === '/2018-06-01/runtime/invocation/next') {
      story.push('next');
      handOut = (event) => {
        number += 1;
        res.setHeader('lambda-runtime-aws-request-id', `request-${number}`);
        res.setHeader('lambda-runtime-deadline-ms', String(Date.now() + 60_000));
        res.end(JSON.stringify(event));
      };
      meet();
      return;
    }
    let text = '';
    for await (const part of req) text += String(part);
    story.push(`response to ${/invocation\/([^/]+)\/response/.exec(req.url ?? '')?.[1]}`);
    const end = text.indexOf(END_OF_HEAD);
    if (end >= 0)
      answers.push({ head: JSON.parse(text.slice(0, end)), body: text.slice(end + END_OF_HEAD.length) });
    res.writeHead(202).end();
  });
  const address = new URL(await listenLocally(server)).host;
  return {
    address,
    story,
    answers,
    deliver(event) {
      events.push(event);
      meet();
    },
    stop: () => closeServer(server),
  };
}
