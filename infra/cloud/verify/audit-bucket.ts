/** Looks at the audit bucket: whether what is written there stays. */
import { GetObjectLockConfigurationCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type Finding, look, ok, unknown, wrong } from './finding.ts';

const AREA = 'audit';
const DEPLOY =
  'Deploy FileFerry-Data, and take AUDIT_BUCKET from its outputs. Object Lock cannot be turned off there again.';

export async function lookAtAuditBucket(
  place: { readonly region: string; readonly endpoint?: string; readonly forcePathStyle: boolean },
  bucket: string | undefined,
  emulated: boolean,
): Promise<Finding[]> {
  if (!bucket) {
    const found = 'AUDIT_BUCKET is not set: only the records tell who did what, for their 90 days';
    return [{ area: AREA, what: 'bucket', ...unknown(found) }];
  }
  const s3 = new S3Client({ ...place, maxAttempts: 3 });
  try {
    const finding = await look(AREA, bucket, DEPLOY, async () => {
      if (emulated) {
        await s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
        return unknown('is there; this emulator has no Object Lock');
      }
      const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
      const { ObjectLockConfiguration } = await s3.send(command);
      const { Mode, Days, Years } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
      if (Mode === undefined) return wrong('nothing in it is retained', DEPLOY);
      const kept = Days === undefined ? `${Years} years` : `${Days} days`;
      const todo = 'In governance mode, who has the right may delete: set the mode to COMPLIANCE.';
      return Mode === 'COMPLIANCE' ? ok(`${Mode}, ${kept}`) : wrong(`${Mode}, ${kept}`, todo);
    });
    const refused = finding.found.startsWith('AccessDenied');
    return [refused ? { area: AREA, what: bucket, ...unknown('this identity may not look at it') } : finding];
  } finally {
    s3.destroy();
  }
}
