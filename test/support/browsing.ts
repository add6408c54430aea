/** A local S3 with objects in it, and a way in that reaches what a person may see and nothing else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client, type StorageClass } from '@aws-sdk/client-s3';
import type { Person } from '../../core/person.ts';
import { readableSources } from '../../core/policy.ts';
import { type PolicyConfig, policyConfigSchema } from '../../core/policy-config.ts';
import type { BrowseAccess } from '../../core/s3-browse.ts';
import { ADMIN_POLICY, parseAccessPolicy } from '../../infra/local/access-policy.ts';
import { type AccessKey, createKeyRing } from '../../infra/local/key-ring.ts';
import { startS3 } from '../../infra/local/s3.ts';

export const person = (name: string, more: Partial<Person> = {}): Person => ({
  userId: `slack:T01FERRY:U01${name.toUpperCase()}`,
  name,
  standing: 'member',
  ...more,
});
export const ana = person('Ana');
export const bob = person('Bob');
export const cleo = person('Cleo');

/** Ana may send from finance-exports, and from marketing-assets/public/; Bob approves; Cleo may do nothing. */
export const policy: PolicyConfig = policyConfigSchema.parse({
  groups: { finance: [ana.userId], deciders: [bob.userId] },
  buckets: {
    'finance-exports': { description: 'Reports of the finance team', aliases: ['books'] },
    'finance-archive': {},
    'marketing-assets': {},
    'hr-payroll': {},
  },
  destinations: {
    'acme-ftp': { host: 'a.example.com', user: 'u', password: 'env:P', folder: '/in', aliases: ['acme'] },
    'globex-ftp': { host: 'g.example.com', user: 'u', password: 'env:P', description: 'Globex, Springfield' },
    'globex-staging': { host: 'g.example.com', user: 'u', password: 'env:P' },
    'secret-ftp': { host: 's.example.com', user: 'u', password: 'env:P' },
  },
  rules: [
    {
      request: ['finance'],
      from: ['finance-exports', 'finance-archive', 'marketing-assets/public/'],
      to: ['acme-ftp', 'globex-ftp', 'globex-staging'],
      approve: ['deciders'],
    },
    { request: ['deciders'], from: ['hr-payroll'], to: ['secret-ftp'], approve: ['deciders'] },
  ],
  limits: { maxObjects: 50 },
  servicenow: { userGroup: 'a', auditGroup: 'b' },
});

export interface BrowsableS3 {
  readonly access: BrowseAccess;
  /** Buckets that were opened, in order, and how many are open now. */
  readonly opened: string[];
  open(): number;
  put(bucket: string, key: string, body?: string, storageClass?: StorageClass): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it with the policy's buckets, empty. */
export async function startBrowsableS3(): Promise<BrowsableS3> {
  const keys = createKeyRing();
  const folder = await mkdtemp(join(tmpdir(), 'fileferry-browse-'));
  const s3 = await startS3({ folder, keys });
  const clientFor = ({ accessKeyId, secretAccessKey, session }: AccessKey) =>
    new S3Client({
      endpoint: s3.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId, secretAccessKey, ...(session && { sessionToken: session.token }) },
    });
  const admin = clientFor(keys.addUser('admin', ADMIN_POLICY));
  for (const Bucket of Object.keys(policy.buckets)) await admin.send(new CreateBucketCommand({ Bucket }));

  const opened: string[] = [];
  let openNow = 0;
  return {
    opened,
    open: () => openNow,
    access: {
      async forBrowse(who, _turnKey, bucket) {
        const prefixes = readableSources(policy, who)
          .filter((source) => source.split('/', 1)[0] === bucket)
          .map((source) => `${source.slice(bucket.length + 1)}*`);
        const narrowed = parseAccessPolicy(
          JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: 's3:GetObject',
                Resource: prefixes.map((prefix) => `arn:aws:s3:::${bucket}/${prefix}`),
              },
              {
                Effect: 'Allow',
                Action: 's3:ListBucket',
                Resource: `arn:aws:s3:::${bucket}`,
                Condition: { StringLike: { 's3:prefix': prefixes } },
              },
            ],
          }),
        );
        if ('fault' in narrowed) throw new Error(narrowed.fault);
        const client = clientFor(
          keys.issue('arn:aws:sts::000000000000:assumed-role/R/s', [narrowed.policy], 900),
        );
        opened.push(bucket);
        openNow += 1;
        return {
          client,
          async close() {
            openNow -= 1;
            client.destroy();
          },
        };
      },
    },
    async put(Bucket, Key, Body = 'x', StorageClass) {
      await admin.send(
        new PutObjectCommand({ Bucket, Key, Body: Buffer.from(Body), ...(StorageClass && { StorageClass }) }),
      );
    },
    async stop() {
      admin.destroy();
      await s3.stop();
      await rm(folder, { recursive: true });
    },
  };
}
