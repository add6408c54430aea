/** A network between a client and a server that loses, delays and spoils what it carries, when told to. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What happens to a connection. `cut`: both ends see an orderly end. `reset`: both see RST. `stall`: nothing more
 * is carried upwards, but both ends stay. `half-open`: nothing more is carried, and neither end hears of the
 * other's going. `slow`: so many bytes a second. `corrupt`: one byte towards the client is another one.
 */
export type Fault =
  | { readonly kind: 'cut' | 'reset' | 'stall' | 'half-open' | 'corrupt' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

/** A fault, and after how many bytes in one direction it comes. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly after: number;
  readonly counting: 'up' | 'down';
}

/** One connection through the network. */
export interface Link {
  /** The server's port that it leads to. */
  readonly port: number;
  /** Position among all connections to this network, from 0. */
  readonly number: number;
  /** Bytes that were carried to the server. */
  readonly up: number;
  /** Bytes that were carried to the client. */
  readonly down: number;
  apply(fault: Fault): void;
}

export interface Network {
  /** The client speaks to this address, on the ports of the server. */
  readonly host: string;
  readonly links: readonly Link[];
  /** Bytes that were carried to the server over connections to other ports than this one. */
  upBeside(port: number): number;
  stop(): Promise<void>;
}

export interface NetworkOptions {
  readonly host?: string;
  /** The server's address. */
  readonly upstream: string;
  /** Ports that are carried, each to the same one of the server; or pairs of ours (0 for any) and the server's. */
  readonly ports: readonly (number | readonly [ours: number, theirs: number])[];
  /** Asked at each new connection. */
  readonly plan?: (link: Link) => readonly PlannedFault[];
  /** Told as bytes move. */
  readonly onMove?: (link: Link) => void;
}

/** An address of this machine that no server listens on; macOS has only the first one. */
export const NETWORK_HOST = '127.0.0.2';

class Carried implements Link {
  readonly port: number;
  readonly number: number;
  up = 0;
  down = 0;
  private readonly client: Socket;
  private readonly server: Socket;
  private planned: readonly PlannedFault[];
  private readonly onMove: (link: Link) => void;
  private stalled = false;
  private silent = false;
  private corrupting = false;
  private bytesPerSecond = 0;

  constructor(
    ends: { client: Socket; server: Socket; port: number; number: number },
    options: Pick<NetworkOptions, 'plan' | 'onMove'>,
  ) {
    this.client = ends.client;
    this.server = ends.server;
    this.port = ends.port;
    this.number = ends.number;
    this.onMove = options.onMove ?? (() => {});
    this.planned = options.plan?.(this) ?? [];
    this.carry(this.client, this.server, 'up');
    this.carry(this.server, this.client, 'down');
    this.strike();
  }

  apply(fault: Fault): void {
    switch (fault.kind) {
      case 'cut':
        this.client.destroy();
        this.server.destroy();
        break;
      case 'reset':
        this.client.resetAndDestroy();
        this.server.resetAndDestroy();
        break;
      case 'stall':
        this.stalled = true;
        break;
      case 'half-open':
        this.silent = true;
        break;
      case 'corrupt':
        this.corrupting = true;
        break;
      case 'slow':
        this.bytesPerSecond = fault.bytesPerSecond;
        break;
    }
  }

  /** Applies the planned faults whose byte has passed. */
  private strike(): void {
    const due = this.planned.filter(({ after, counting }) => this[counting] >= after);
    this.planned = this.planned.filter((planned) => !due.includes(planned));
    for (const { fault } of due) this.apply(fault);
  }

  /** Bytes that may go this way before the next fault is due. */
  private left(direction: 'up' | 'down'): number {
    const waiting = this.planned.filter(({ counting }) => counting === direction);
    return Math.min(...waiting.map(({ after }) => after)) - this[direction];
  }

  private carry(from: Socket, to: Socket, direction: 'up' | 'down'): void {
    const pass = (chunk: Buffer): void => {
      if (this.silent || (this.stalled && direction === 'up')) {
        from.pause();
        return;
      }
      let now = chunk.subarray(0, Math.min(chunk.length, this.left(direction)));
      if (this.corrupting && direction === 'down' && now.length > 0) {
        now = Buffer.from(now);
        now[0] = (now[0] ?? 0) ^ 1;
        this.corrupting = false;
      }
      this[direction] += now.length;
      const room = now.length === 0 || to.write(now);
      this.onMove(this);
      this.strike();
      const rest = chunk.subarray(now.length);
      if (rest.length > 0) pass(rest);
      else if (this.bytesPerSecond > 0) {
        from.pause();
        setTimeout(() => from.resume(), (now.length / this.bytesPerSecond) * 1_000);
      } else if (!room) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', pass);
    from.on('end', () => {
      if (!this.silent && !this.stalled) to.end();
    });
    let broken = false;
    from.on('error', () => {
      broken = true;
    });
    from.on('close', () => {
      if (this.silent) return;
      if (broken) to.resetAndDestroy();
      else to.destroySoon();
    });
  }
}

export async function startNetwork(
  options: NetworkOptions,
): Promise<Network & { port(theirs: number): number }> {
  const { host = NETWORK_HOST, upstream } = options;
  const links: Link[] = [];
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const opened = new Map<number, number>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  await Promise.all(
    options.ports.map(async (pair) => {
      const [ours, theirs] = typeof pair === 'number' ? [pair, pair] : pair;
      const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
        const server = connect({ host: upstream, port: theirs, allowHalfOpen: true, noDelay: true });
        keep(client);
        keep(server);
        links.push(new Carried({ client, server, port: theirs, number: links.length }, options));
      });
      servers.push(listener);
      listener.listen(ours, host);
      await once(listener, 'listening');
      const address = listener.address();
      opened.set(theirs, typeof address === 'object' && address ? address.port : ours);
    }),
  );
  return {
    host,
    links,
    port: (theirs) => opened.get(theirs) ?? theirs,
    upBeside: (port) => links.reduce((sum, link) => sum + (link.port === port ? 0 : link.up), 0),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** Every port of a server that has its own for data connections. */
export function portsOf(server: {
  readonly port: number;
  readonly passive: readonly [number, number];
}): number[] {
  const [first, last] = server.passive;
  return [server.port, ...Array.from({ length: last - first + 1 }, (_none, index) => first + index)];
}
