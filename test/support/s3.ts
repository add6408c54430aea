/** A real S3 protocol server for a test suite, with one bucket, an administrator's key and keys of assumed roles. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { ADMIN_POLICY, parseAccessPolicy, READ_ONLY_ROLE_POLICY } from '../../infra/local/access-policy.ts';
import { type AccessKey, createKeyRing } from '../../infra/local/key-ring.ts';
import { type LocalS3, startS3 } from '../../infra/local/s3.ts';

export interface TestS3 {
  readonly server: LocalS3;
  readonly bucket: string;
  /** A client that may do everything. */
  readonly admin: S3Client;
  clientFor(key: AccessKey): S3Client;
  /** A key as AssumeRole of FileFerryReadOnlyRole gives it, narrowed by a session policy where there is one. */
  assumedRole(sessionPolicy?: object): AccessKey;
  /** Moves the server's clock, by which keys expire. */
  advance(seconds: number): void;
}

/** Call it at the top of a file or a `describe`; read the properties inside tests and hooks only. */
export function useS3(bucket: string): TestS3 {
  let skew = 0;
  const keys = createKeyRing(() => Date.now() + skew);
  const adminKey = keys.addUser('admin', ADMIN_POLICY);
  let ready: { folder: string; server: LocalS3; admin: S3Client } | undefined;
  const started = () => {
    if (!ready) throw new Error('useS3: the server starts before the first test; read this inside one');
    return ready;
  };
  const connect = (endpoint: string, { accessKeyId, secretAccessKey, session }: AccessKey) =>
    new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId, secretAccessKey, ...(session && { sessionToken: session.token }) },
    });

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fileferry-s3-'));
    const server = await startS3({ folder, keys });
    const admin = connect(server.endpoint, adminKey);
    await admin.send(new CreateBucketCommand({ Bucket: bucket }));
    ready = { folder, server, admin };
  });
  afterAll(async () => {
    if (!ready) return;
    ready.admin.destroy();
    await ready.server.stop();
    await rm(ready.folder, { recursive: true });
  });

  return {
    bucket,
    get server() {
      return started().server;
    },
    get admin() {
      return started().admin;
    },
    clientFor: (key) => connect(started().server.endpoint, key),
    assumedRole(sessionPolicy) {
      const policies = [READ_ONLY_ROLE_POLICY];
      if (sessionPolicy) {
        const parsed = parseAccessPolicy(JSON.stringify(sessionPolicy));
        if ('fault' in parsed) throw new Error(parsed.fault);
        policies.push(parsed.policy);
      }
      return keys.issue('arn:aws:sts::000000000000:assumed-role/FileFerryReadOnlyRole/test', policies, 900);
    },
    advance: (seconds) => {
      skew += seconds * 1000;
    },
  };
}
