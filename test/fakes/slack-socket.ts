/** The server's end of a Socket Mode connection: just enough WebSocket (RFC 6455) to deliver envelopes. */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface FakeSocket {
  /**
   * Delivers an envelope. `acked` resolves with the payload of the acknowledgement, and stays pending where there
   * is none.
   *
   * @see https://docs.slack.dev/apis/events-api/using-socket-mode#events
   */
  deliver(
    type: 'events_api' | 'interactive' | 'slash_commands',
    payload: unknown,
  ): { readonly id: string; readonly acked: Promise<unknown> };
  /** Ids of the envelopes that were acknowledged. */
  readonly ackedIds: readonly string[];
  /** Cuts the connection without a word. */
  cut(): void;
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** An unmasked frame, as servers send them. */
function frame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const head = Buffer.alloc(long ? 10 : 2);
  head[0] = 0x80 | opcode;
  head[1] = long ? 127 : payload.length;
  if (long) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** The first masked frame in the buffer and what follows it, or undefined while it is incomplete. */
function unframe(data: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | undefined {
  if (data.length < 2) return undefined;
  const short = data.readUInt8(1) & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (data.length < start) return undefined;
  const size = extra === 2 ? data.readUInt16BE(2) : extra === 8 ? Number(data.readBigUInt64BE(2)) : short;
  if (data.length < start + size) return undefined;
  const mask = data.subarray(start - 4, start);
  const payload = Buffer.from(data.subarray(start, start + size).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
  return { opcode: data.readUInt8(0) & 0x0f, payload, rest: data.subarray(start + size) };
}

/** Completes the handshake of an upgrade request and greets. */
export function acceptSocket(req: IncomingMessage, socket: Duplex, onClose: () => void): FakeSocket {
  const proof = createHash('sha1')
    .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n\r\n`,
  );
  const pending = new Map<string, (payload: unknown) => void>();
  const ackedIds: string[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (let next = unframe(buffered); next; next = unframe(buffered)) {
      buffered = next.rest;
      if (next.opcode === PING) socket.write(frame(PONG, next.payload));
      if (next.opcode === CLOSE) socket.end(frame(CLOSE, next.payload));
      if (next.opcode !== TEXT) continue;
      const ack = JSON.parse(next.payload.toString('utf8')) as { envelope_id: string; payload?: unknown };
      ackedIds.push(ack.envelope_id);
      pending.get(ack.envelope_id)?.(ack.payload);
    }
  });
  socket.on('error', () => {});
  socket.on('close', onClose);
  const send = (body: unknown): void => {
    socket.write(frame(TEXT, Buffer.from(JSON.stringify(body))));
  };
  send({ type: 'hello', num_connections: 1 });
  return {
    ackedIds,
    deliver(type, payload) {
      const id = randomUUID();
      const acked = new Promise((resolve) => pending.set(id, resolve));
      send({ type, envelope_id: id, payload, accepts_response_payload: type !== 'events_api' });
      return { id, acked };
    },
    cut: () => void socket.destroy(),
  };
}
