/** FileFerryReadOnlyRole, defined once as plain data: the only way to S3, and it cannot write. */

/** Tags that every session has to carry: for whom and for what it reads. */
export const SESSION_TAGS = { user: 'fileferry-user', subject: 'fileferry-subject' } as const;

export const READ_ONLY_ROLE = {
  name: 'FileFerryReadOnlyRole',
  /** Seconds; the shortest that AssumeRole grants. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
  sessionSeconds: 900,
  /** Under which the role is given at all: every tag present and not empty, and no other. */
  trustConditions: {
    StringLike: {
      [`aws:RequestTag/${SESSION_TAGS.user}`]: '?*',
      [`aws:RequestTag/${SESSION_TAGS.subject}`]: '?*',
    },
    'ForAllValues:StringEquals': { 'aws:TagKeys': [SESSION_TAGS.user, SESSION_TAGS.subject] },
  },
  /** Granted on the buckets themselves. */
  bucketActions: ['s3:GetBucketLocation', 's3:ListBucket'],
  /** Granted on the objects. HEAD needs no action of its own: it is `s3:GetObject`. */
  objectActions: ['s3:GetObject', 's3:GetObjectAttributes', 's3:GetObjectVersion'],
  /** Denied on everything, so that no policy added to the role later can grant a write. */
  deniedActions: [
    's3:AbortMultipartUpload',
    's3:AssociateAccessGrantsIdentityCenter',
    's3:BypassGovernanceRetention',
    's3:Create*',
    's3:Delete*',
    's3:DissociateAccessGrantsIdentityCenter',
    's3:InitiateReplication',
    's3:ObjectOwnerOverrideToBucketOwner',
    's3:PauseReplication',
    's3:Put*',
    's3:Replicate*',
    's3:RestoreObject',
    's3:SubmitMultiRegionAccessPointRoutes',
    's3:TagResource',
    's3:UntagResource',
    's3:Update*',
  ],
} as const;
