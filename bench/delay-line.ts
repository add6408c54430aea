/** A long line, as a process: carries an FTP server's ports to 127.0.0.2 with a delay. ARGS: PORT LAST MS. */
import { connect, createServer, type Socket } from 'node:net';

const [port = 0, last = 0, ms = 0] = process.argv.slice(2).map(Number);

/** Timers of one length run in the order in which they were set, so nothing overtakes. */
function carry(from: Socket, to: Socket): void {
  from.on('data', (chunk) => void setTimeout(() => to.writable && to.write(chunk), ms));
  from.on('end', () => void setTimeout(() => to.end(), ms));
  from.on('error', () => to.destroy());
  from.on('close', () => void setTimeout(() => to.destroySoon(), 2 * ms));
}

let opening = last - port + 1;
for (let each = port; each <= last; each += 1) {
  createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ port: each, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    carry(client, server);
    carry(server, client);
  }).listen(each, '127.0.0.2', () => {
    opening -= 1;
    if (opening === 0) process.send?.('ready');
  });
}
process.once('disconnect', () => process.exit());
