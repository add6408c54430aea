/** A meter before an HTTP server: passes every request on as it is and shows what was asked and answered. */
import { Agent, createServer, type IncomingHttpHeaders, request } from 'node:http';
import { closeServer, listenLocally } from '../infra/local/listen.ts';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpMeter {
  readonly url: string;
  stop(): Promise<void>;
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Opens a meter on a free port. Bodies are held in memory: it is for small ones.
 *
 * @param target asked at every request
 * @param watch lets the request pass by calling `pass`, once
 */
export async function openHttpMeter(
  target: () => string,
  watch: (asked: Asked, pass: () => Promise<Answered>) => Promise<Answered>,
): Promise<HttpMeter> {
  const agent = new Agent({ keepAlive: true });
  /** The host stays what the client signed. */
  const forward = (asked: Asked) =>
    new Promise<Answered>((resolve, reject) => {
      const { method, path, headers, body } = asked;
      const onward = request(new URL(path, target()), { method, headers, agent }, (response) => {
        bytesOf(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: bytes }),
          reject,
        );
      });
      onward.on('error', reject);
      onward.end(body);
    });
  const server = createServer(async (req, res) => {
    try {
      const { method = 'GET', url: path = '/', headers } = req;
      const asked = { method, path, headers, body: await bytesOf(req) };
      const { status, headers: answered, body } = await watch(asked, () => forward(asked));
      const { 'transfer-encoding': _chunked, connection: _connection, ...rest } = answered;
      // A HEAD's answer has the length of what a GET would bring.
      res.writeHead(status, method === 'HEAD' ? rest : { ...rest, 'content-length': body.length });
      res.end(body);
    } catch {
      // What a client meets whose server went away.
      res.destroy();
    }
  });
  const url = await listenLocally(server);
  return {
    url,
    async stop() {
      await closeServer(server);
      agent.destroy();
    },
  };
}
