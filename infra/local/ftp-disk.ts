/** The folder behind a local FTP server, as ftp-srv reads and writes it. */
import type { WriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { FileSystem } from 'ftp-srv';

/**
 * ftp-srv 4.6.3 removes what a broken upload left and does not look whether it could: a client that had removed it
 * before ended the whole process with an unhandled rejection.
 */
export class FtpDisk extends FileSystem {
  override write(fileName: string, how?: { append?: boolean; start?: unknown }): unknown {
    const written = super.write(fileName, how) as { stream: WriteStream };
    const { stream } = written;
    stream.removeAllListeners('error');
    stream.once('error', () => void unlink(stream.path).catch(() => undefined));
    return written;
  }
}
