/** A ZIP file with the same bytes at every run: stored, in the given order, and all dated alike. */
import { crc32 } from 'node:zlib';

/** 1980-01-01, the format's first day. */
const DATE = 0x0021;
const VERSION = 20;

export interface ZipEntry {
  /** ASCII. */
  readonly name: string;
  readonly data: Buffer;
}

/** @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.7, 4.3.12 and 4.3.16 */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const named = Buffer.from(name, 'latin1');
    const file = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, named, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    const version = Buffer.alloc(2);
    version.writeUInt16LE(VERSION);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), version, common, rest, named]));
    files.push(file);
    offset += file.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, central, end]);
}
