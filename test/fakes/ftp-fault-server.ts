/** An FTP server over real sockets that keeps files in memory and goes wrong exactly as a test scripts it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One STOR under way, in the hands of the script. */
export interface Upload {
  readonly path: string;
  readonly control: Socket;
  /** The data connection; paused until `receive` or the script reads it. */
  readonly data: Socket;
  reply(line: string): void;
  /** Reads until that many bytes are there, or to the end; more than asked may have come. */
  receive(bytes?: number): Promise<Buffer>;
  /** Keeps the bytes as the file's content. */
  keep(content: Buffer): void;
}

export interface FaultScript {
  greeting?: string;
  /** Replies by command, in place of the usual ones; undefined falls back to them. */
  answer?: (command: string, argument: string) => string | undefined;
  /** Plays one upload in place of the usual 150, receive, 226. */
  store?: (upload: Upload) => void | Promise<void>;
}

export interface FaultServer {
  readonly port: number;
  /** Every command line that arrived, in order. */
  readonly commands: string[];
  readonly files: Map<string, Buffer>;
  /** Changed between connections or commands. */
  script: FaultScript;
  /** How each data connection ended: `end` for FIN, or the error code. */
  readonly dataEnds: string[];
  stop(): Promise<void>;
}

async function goWell(upload: Upload): Promise<void> {
  upload.reply('150 Go ahead.');
  upload.keep(await upload.receive());
  upload.reply('226 Done.');
}

export async function startFaultServer(script: FaultScript = {}): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  const listeners: Server[] = [];
  const commands: string[] = [];
  const dataEnds: string[] = [];
  const files = new Map<string, Buffer>();

  async function listen(server: Server): Promise<number> {
    listeners.push(server);
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function converse(control: Socket): void {
    let pending: Promise<Socket> | undefined;
    let renaming = '';
    control.setNoDelay(true);
    control.on('error', () => {});
    const reply = (line: string) => control.writable && control.write(`${line}\r\n`);

    async function passive(): Promise<string> {
      const server = createServer({ pauseOnConnect: true });
      pending = once(server, 'connection').then(([socket]: Socket[]) => {
        server.close();
        const data = socket as Socket;
        data.on('error', (error: NodeJS.ErrnoException) => dataEnds.push(error.code ?? 'error'));
        data.on('end', () => dataEnds.push('end'));
        return data;
      });
      return `229 Extended passive (|||${await listen(server)}|)`;
    }

    async function store(path: string): Promise<void> {
      const data = await pending;
      if (!data) return void reply('425 No data connection.');
      const parts: Buffer[] = [];
      const arrived = () => Buffer.concat(parts);
      const upload: Upload = {
        path,
        control,
        data,
        reply,
        async receive(bytes = Number.POSITIVE_INFINITY) {
          let size = parts.reduce((sum, part) => sum + part.length, 0);
          while (size < bytes && !data.readableEnded && !data.destroyed) {
            const part: Buffer | null = data.read();
            if (part) {
              parts.push(part);
              size += part.length;
            } else {
              const looking = new AbortController();
              const { signal } = looking;
              const signs = ['readable', 'end', 'close'].map((event) => once(data, event, { signal }));
              await Promise.race(signs).catch(() => {});
              looking.abort();
              await Promise.allSettled(signs);
            }
          }
          return arrived();
        },
        keep: (content) => void files.set(path, content),
      };
      await (server.script.store ?? goWell)(upload);
      data.destroySoon();
    }

    const usual: Record<string, (argument: string) => string | Promise<string | undefined> | undefined> = {
      USER: () => '331 Password?',
      PASS: () => '230 Welcome.',
      EPSV: passive,
      MKD: () => '257 Made.',
      CWD: () => '550 No such folder.',
      SIZE: (path) => (files.has(path) ? `213 ${files.get(path)?.length}` : '550 No such file.'),
      DELE: (path) => (files.delete(path) ? '250 Gone.' : '550 No such file.'),
      RNFR: (path) => {
        renaming = path;
        return files.has(path) ? '350 And to?' : '550 No such file.';
      },
      RNTO: (path) => {
        files.set(path, files.get(renaming) ?? Buffer.alloc(0));
        files.delete(renaming);
        return '250 Renamed.';
      },
      STOR: (path) => void store(path),
      QUIT: () => void control.end(),
    };

    reply(server.script.greeting ?? '220 Ready.');
    let rest = '';
    let turn = Promise.resolve();
    control.setEncoding('utf8');
    control.on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        commands.push(line);
        const space = line.indexOf(' ');
        const command = (space < 0 ? line : line.slice(0, space)).toUpperCase();
        const argument = space < 0 ? '' : line.slice(space + 1);
        turn = turn.then(async () => {
          const scripted = server.script.answer?.(command, argument);
          const answer = scripted ?? (await (usual[command] ?? (() => '200 Fine.'))(argument));
          if (answer) reply(answer);
        });
      }
    });
  }

  const port = await listen(createServer(converse));
  const server: FaultServer = {
    port,
    commands,
    files,
    script,
    dataEnds,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(listeners.map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
  return server;
}
