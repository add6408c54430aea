/** The demo's world in S3: five buckets with files such as people have, the same bytes at every start. */
import { createCipheriv } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

interface SeededObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly contentType: string;
  readonly storageClass?: 'GLACIER';
  /** What the file begins with, so that a program which looks knows it. */
  readonly begins?: string;
}

const MB = 1_000_000;
const PDF = { contentType: 'application/pdf', begins: '%PDF-1.7\n' };
const XLSX = {
  contentType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  begins: 'PK\x03\x04',
};
const CSV = { contentType: 'text/csv', begins: 'date,account,amount\n' };
const PARQUET = { contentType: 'application/vnd.apache.parquet', begins: 'PAR1' };

const inBucket = (bucket: string, objects: readonly Omit<SeededObject, 'bucket'>[]): SeededObject[] =>
  objects.map((object) => ({ bucket, ...object }));

const events = Array.from({ length: 12 }, (_, index) => ({
  key: `events/2026/11/part-${String(index).padStart(4, '0')}.parquet`,
  size: 200_000 + index * 7_919,
  ...PARQUET,
}));

export const WORLD_OBJECTS: readonly SeededObject[] = [
  ...inBucket('finance-exports', [
    { key: 'reports/2026/Q2/q2-report.pdf', size: 1.2 * MB, ...PDF },
    // Big enough that its progress can be watched.
    { key: 'reports/2026/Q3/q3-report.pdf', size: 24 * MB, ...PDF },
    { key: 'reports/2026/Q3/summary.xlsx', size: 186_420, ...XLSX },
    { key: 'reports/2026/Q3/raw.csv', size: 3.4 * MB, ...CSV },
    { key: 'reports/2026/Q3/Übersicht für Köln (final).txt', size: 4_096, contentType: 'text/plain' },
    { key: 'reports/2026/Q3/_SUCCESS', size: 0, contentType: 'application/octet-stream' },
  ]),
  ...inBucket('finance-exports-archive', [
    { key: 'reports/2019/Q3/q3-report-2019.pdf', size: 900_000, ...PDF, storageClass: 'GLACIER' },
    { key: 'reports/2025/Q3/q3-report.pdf', size: 2.1 * MB, ...PDF },
  ]),
  ...inBucket('marketing-assets', [
    { key: 'logos/fileferry.svg', size: 12_800, contentType: 'image/svg+xml', begins: '<svg ' },
    { key: 'films/autumn-campaign.mp4', size: 6 * MB, contentType: 'video/mp4' },
  ]),
  ...inBucket('data-lake-raw', events),
  ...inBucket('legal-docs', [{ key: 'contracts/acme-2026.pdf', size: 340_000, ...PDF }]),
];

/** Bytes that do not compress and are the same for the same name at every start. */
function bytesFor({ key, size, begins = '' }: SeededObject): Buffer {
  const seed = Buffer.alloc(16);
  seed.write(key.slice(-16));
  const body = createCipheriv('aes-128-ctr', seed, Buffer.alloc(16)).update(Buffer.alloc(size));
  body.write(begins, 'latin1');
  return body;
}

/** @param client one that may write */
export async function seedWorld(client: S3Client): Promise<void> {
  for (const Bucket of new Set(WORLD_OBJECTS.map(({ bucket }) => bucket))) {
    await client.send(new CreateBucketCommand({ Bucket }));
  }
  await Promise.all(
    WORLD_OBJECTS.map((object) =>
      client.send(
        new PutObjectCommand({
          Bucket: object.bucket,
          Key: object.key,
          Body: bytesFor(object),
          ContentType: object.contentType,
          StorageClass: object.storageClass,
        }),
      ),
    ),
  );
}
