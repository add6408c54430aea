/** Ends with 0 when two files have the same bytes. */
import { closeSync, openSync, readSync } from 'node:fs';

const PIECE = 8 * 2 ** 20;
const [one, other] = process.argv
  .slice(2)
  .map((path) => ({ file: openSync(path, 'r'), bytes: Buffer.alloc(PIECE) }));
if (!one || !other) throw new Error('two files are compared');
for (;;) {
  const read = readSync(one.file, one.bytes, 0, PIECE, null);
  const same = readSync(other.file, other.bytes, 0, PIECE, null) === read;
  if (!same || !one.bytes.subarray(0, read).equals(other.bytes.subarray(0, read))) process.exit(1);
  if (read === 0) break;
}
closeSync(one.file);
closeSync(other.file);
