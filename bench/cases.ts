/** What is measured against rclone, and how much faster we mean to be. */
import { type BenchObject, CAPPED_BYTES_PER_SECOND } from './sides.ts';

const GIB = 2 ** 30;
/** Added to the way to the FTP server and to the way back, in milliseconds. */
export const DELAY_MS = 10;

export const LARGE: BenchObject = { key: 'large.bin', size: GIB };
export const SMALL: readonly BenchObject[] = Array.from({ length: 500 }, (_none, index) => ({
  key: `small/${String(index).padStart(3, '0')}.bin`,
  size: 64 * 1_024,
}));

export interface Case {
  readonly name: string;
  readonly title: string;
  /** rclone's seconds divided by ours, at the least. */
  readonly target: number;
  readonly source: 'http' | 'https' | 'capped';
  readonly sink: 'ftp' | 'ftps';
  readonly what: 'large' | 'small';
  readonly delayed?: boolean;
}

export const CASES: readonly Case[] = [
  { name: '1', title: '1 GiB, HTTPS → FTP', target: 1.2, source: 'https', sink: 'ftp', what: 'large' },
  { name: '2', title: '1 GiB, HTTP → FTP', target: 1.1, source: 'http', sink: 'ftp', what: 'large' },
  { name: '3', title: '1 GiB, HTTPS → FTPS', target: 1.2, source: 'https', sink: 'ftps', what: 'large' },
  {
    name: '4',
    title: `1 GiB, ${CAPPED_BYTES_PER_SECOND / 1e6} MB/s a connection`,
    target: 6,
    source: 'capped',
    sink: 'ftp',
    what: 'large',
  },
  {
    name: '5',
    title: '500 × 64 KiB, 8 connections',
    target: 1.5,
    source: 'http',
    sink: 'ftp',
    what: 'small',
  },
  {
    name: '6',
    title: `the same, FTP ${DELAY_MS} ms away`,
    target: 2.2,
    source: 'http',
    sink: 'ftp',
    what: 'small',
    delayed: true,
  },
];
