/** Commands on the control connection, several in one packet, and what the size in a reply is. */
import { FTPError, type FTPResponse } from 'basic-ftp';
import { FerryError } from '../core/errors.ts';
import { type FtpConnection, withoutStack } from './ftp-connection.ts';
import { type FtpPlace, replyFault, translateFtpError } from './ftp-errors.ts';

/**
 * The size in a 213 reply (RFC 3659, section 4), some of which have commentary behind the number. ftp-srv leaves
 * out a zero; reading "no number" as none is safe, because any other expected size then fails.
 */
const SIZE_REPLY = /^213(?:[ -]\s*(\d+)|\D*$)/;

/**
 * Sends commands without waiting for each other's replies. Negative replies are given back as all others.
 *
 * @param signal closes the connection
 * @throws FerryError when the connection is gone
 */
export async function askTogether(
  connection: FtpConnection,
  commands: readonly string[],
  place: FtpPlace,
  signal?: AbortSignal,
): Promise<FTPResponse[]> {
  const { client } = connection;
  const stop = () => client.close();
  signal?.addEventListener('abort', stop, { once: true });
  const replies: FTPResponse[] = [];
  const [command = '', ...others] = commands;
  // In one packet: the round trip is what is saved.
  const { socket } = client.ftp;
  socket.cork();
  try {
    const answered = withoutStack(() =>
      client.ftp.handle(command, (reply, task) => {
        if (reply instanceof Error && !(reply instanceof FTPError)) return task.reject(reply);
        if (reply.code >= 100 && reply.code < 200) return;
        replies.push({ code: reply.code, message: reply.message });
        if (replies.length === commands.length) task.resolve(undefined);
      }),
    );
    if (!client.closed) for (const other of others) client.ftp.send(other);
    socket.uncork();
    await answered;
    return replies;
  } catch (error) {
    throw translateFtpError(error, place, signal);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * The size that a reply to SIZE tells; undefined where there is no such file.
 *
 * @throws FerryError when the server cannot tell sizes, or refuses to
 */
export function sizeIn(reply: FTPResponse | undefined, place: FtpPlace): number | undefined {
  if (!reply || reply.code === 550) return undefined;
  const found = SIZE_REPLY.exec(reply.message);
  const bytes = found ? Number(found[1] ?? 0) : Number.NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  if (reply.code >= 500 && reply.code <= 504) {
    throw new FerryError('target_refused', {
      userMessage: `${place.server} cannot say how large a file is (no SIZE command), so an upload could not be verified. Nothing was sent; please ask your FileFerry team about this destination.`,
    });
  }
  throw replyFault(reply, place);
}
