/** How DynamoDB weighs items: their bytes, and the entries that they have in an index. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

const text = (value: string) => Buffer.byteLength(value, 'utf8');

/** One byte for two significant digits, and one more; a negative number takes another. */
function numberSize(value: string): number {
  const digits = value
    .replace(/[eE].*$/, '')
    .replace(/[-+.]/g, '')
    .replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1 + (value.startsWith('-') ? 1 : 0);
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return text(value.S);
  if (value.N !== undefined) return numberSize(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.SS !== undefined) return value.SS.reduce((sum, one) => sum + text(one), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, one) => sum + numberSize(one), 0);
  if (value.BS !== undefined) return value.BS.reduce((sum, one) => sum + one.length, 0);
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one), 3);
  if (value.M !== undefined) return itemSize(value.M) + Object.keys(value.M).length + 3;
  return 1;
}

/** Bytes of an item, the names of its attributes included. */
export function itemSize(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + text(name) + valueSize(value), 0);
}
