/** A gate before a server, at the socket: sees what passes, cuts or holds it at a chosen moment, and can be shut. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A request or a command line on its way to the server, or the first bytes of the answer to it. */
export interface Moment {
  readonly phase: 'asked' | 'answered';
  /** `PutItem`, `SendMessage`, `POST /api/chat.update`, or an FTP command line. */
  readonly what: string;
  /** What was asked, as far as it came in one piece. */
  readonly asked: Buffer;
  /** The bytes at hand. */
  readonly bytes: Buffer;
}

/** `cut`: these bytes are lost and the connection breaks. Other bytes may be given in place of those at hand. */
export type Say = 'cut' | Buffer | undefined;

export interface Gate {
  readonly port: number;
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** What was asked through it, in order. */
  readonly seen: string[];
  /** Asked at every moment, before the bytes pass. */
  onMoment: ((moment: Moment) => Say) | undefined;
  /** From now on the party behind is down: open connections break, new ones are cut. */
  shut(): void;
  reopen(): void;
  stop(): Promise<void>;
}

const HTTP_REQUEST = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP\/1\.1\r\n/;
const AWS_OPERATION = /^x-amz-target: \w+\.(\w+)\r?$/im;

/** What a chunk from the client begins, or undefined when it goes on with something. */
function beginning(chunk: Buffer): string | undefined {
  const text = chunk.toString('latin1');
  const request = HTTP_REQUEST.exec(text);
  if (request) return AWS_OPERATION.exec(text)?.[1] ?? `${request[1]} ${request[2]?.split('?', 1)[0]}`;
  return /^[A-Z]{3,4}\b[^\r\n]*\r\n/.exec(text)?.[0].trimEnd();
}

/** FTP commands and replies may come several at once; each is a moment of its own. Anything else stays as it is. */
function pieces(chunk: Buffer, line: RegExp): Buffer[] {
  const text = chunk.toString('latin1');
  // Split, not matched: a pattern takes quadratic time over a file's bytes without a line break.
  const lines = text.endsWith('\r\n') ? text.slice(0, -2).split('\r\n') : [];
  const whole = lines.length > 1 && lines.every((one) => line.test(one));
  return whole ? lines.map((one) => Buffer.from(`${one}\r\n`, 'latin1')) : [chunk];
}

/**
 * Opens a gate on a free port.
 *
 * @param target the server behind: a port of 127.0.0.1, or an address with one
 */
export async function openGate(target: number | string): Promise<Gate> {
  const targetPort = typeof target === 'number' ? target : Number(new URL(target).port);
  const sockets = new Set<Socket>();
  const seen: string[] = [];
  let isShut = false;

  function pass(near: Socket): void {
    if (isShut) return void near.destroy();
    const far = connect(targetPort, '127.0.0.1');
    const open: Pick<Moment, 'what' | 'asked'>[] = [];
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('end', () => other.end());
      socket.on('close', () => {
        sockets.delete(socket);
        other.end();
      });
    }
    const relay = (chunk: Buffer, to: Socket, moment: Moment | undefined) => {
      const say = moment && gate.onMoment?.(moment);
      if (say === 'cut') return cut();
      if (to.writable) to.write(say ?? chunk);
    };
    near.on('data', (chunk: Buffer) => {
      for (const bytes of pieces(chunk, /^[A-Z]{3,4}\b/)) {
        const what = beginning(bytes);
        if (what !== undefined) {
          open.push({ what, asked: bytes });
          seen.push(what);
        }
        relay(bytes, far, what === undefined ? undefined : { phase: 'asked', what, asked: bytes, bytes });
      }
    });
    far.on('data', (chunk: Buffer) => {
      for (const bytes of pieces(chunk, /^\d{3} /)) {
        const question = open.shift();
        relay(bytes, near, question && { phase: 'answered', ...question, bytes });
      }
    });
  }

  const server = createServer(pass);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const gate: Gate = {
    port,
    url: `http://127.0.0.1:${port}`,
    seen,
    onMoment: undefined,
    shut() {
      isShut = true;
      for (const socket of sockets) socket.destroy();
    },
    reopen() {
      isShut = false;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      gate.shut();
      await closed;
    },
  };
  return gate;
}
