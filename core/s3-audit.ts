/** Writes to the audit bucket, in the service's own name: new objects only, never over one that is there. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** How long one write may take, its retries included; milliseconds. */
const CALL_MS = 10_000;

export interface AuditBucket {
  /** Writes an object; one of this name that is there already stays as it is. Throws what S3 throws. */
  put(name: string, body: string): Promise<void>;
  close(): void;
}

/** 412 to `If-None-Match: *`: it is there. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
const isThere = (error: unknown) => error instanceof Error && error.name === 'PreconditionFailed';

export function createAuditBucket(options: {
  bucket: string;
  region: string;
  endpoint?: string;
  forcePathStyle: boolean;
  /** The service's own unless given. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}): AuditBucket {
  const { bucket: Bucket, ...place } = options;
  const client = new S3Client({ ...place, maxAttempts: 3 });
  return {
    async put(Key, Body) {
      const command = new PutObjectCommand({
        Bucket,
        Key,
        Body,
        ContentType: 'application/x-ndjson',
        IfNoneMatch: '*',
      });
      await client.send(command, { abortSignal: AbortSignal.timeout(CALL_MS) }).catch((error: unknown) => {
        if (!isThere(error)) throw error;
      });
    },
    close: () => client.destroy(),
  };
}
