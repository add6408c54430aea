/** The app's icons, drawn by formula: a ferry on the water, as PNG with the same bytes on every machine. */
import { crc32, deflateSync } from 'node:zlib';

type Rgba = readonly [red: number, green: number, blue: number, alpha: number];
/** Whether a point of the unit square belongs to a shape. */
type Shape = (x: number, y: number) => boolean;

const box =
  (left: number, top: number, right: number, bottom: number): Shape =>
  (x, y) =>
    x >= left && x < right && y >= top && y < bottom;
/** A hull: wide above, narrow below. */
const hull: Shape = (x, y) => y >= 0.56 && y < 0.72 && Math.abs(x - 0.5) < 0.34 - (y - 0.56) * 0.9;
const wave: Shape = (x, y) =>
  Math.abs(y - 0.8 - 0.025 * Math.sin(x * 6 * Math.PI)) < 0.028 && x > 0.12 && x < 0.88;
const ferry: readonly Shape[] = [
  box(0.3, 0.42, 0.66, 0.53),
  box(0.38, 0.3, 0.56, 0.4),
  box(0.6, 0.24, 0.67, 0.4),
  hull,
  wave,
];

const BLUE: Rgba = [15, 76, 129, 255];
const WHITE: Rgba = [255, 255, 255, 255];
const CLEAR: Rgba = [255, 255, 255, 0];

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/**
 * A picture of two colours.
 *
 * @see https://www.w3.org/TR/png-3/ for the chunks; pixels are stored without compression, which differs by version
 */
function png(size: number, ground: Rgba, ink: Rgba): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.writeUInt8(1, 8);
  header.writeUInt8(3, 9);
  const rowBytes = Math.ceil(size / 8);
  const pixels = Buffer.alloc(size * (rowBytes + 1));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = (column + 0.5) / size;
      const y = (row + 0.5) / size;
      if (!ferry.some((shape) => shape(x, y))) continue;
      const at = row * (rowBytes + 1) + 1 + (column >> 3);
      pixels.writeUInt8(pixels.readUInt8(at) | (0x80 >> (column & 7)), at);
    }
  }
  const colours = [ground, ink];
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(colours.flatMap((colour) => colour.slice(0, 3)))),
    chunk('tRNS', Buffer.from(colours.map(([, , , alpha]) => alpha))),
    chunk('IDAT', deflateSync(pixels, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** 192×192, for the app's page. */
export const colorIcon = (): Buffer => png(192, BLUE, WHITE);
/** 32×32, white on nothing, for the app's tab. */
export const outlineIcon = (): Buffer => png(32, CLEAR, WHITE);
