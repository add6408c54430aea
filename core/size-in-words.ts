/** Bytes as people read them. */

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** `12.3 MB`: decimal units, three digits at most. */
export function sizeInWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would round up to a fourth digit.
  while (value >= (unit === 0 ? 1_000 : 999.5) && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return unit === 0 && value === 1 ? '1 byte' : `${Number(value.toFixed(digits))} ${UNITS[unit]}`;
}
