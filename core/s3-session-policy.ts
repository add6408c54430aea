/** Session policies: what AssumeRole hands out, narrowed to the keys or prefixes at hand. */

/** Keys are for reading; prefixes also for listing, and the prefix `''` is the whole bucket. */
export type S3Reach =
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'prefixes'; readonly prefixes: readonly string[] };

/** Characters that AssumeRole takes. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const LONGEST = 2_048;

/**
 * Text that stands for itself in an ARN or a StringLike pattern. What AssumeRole may not carry becomes `*`: a
 * little wider, never narrower.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
 */
function literal(text: string): string {
  return text.replace(/[*?$]/g, (sign) => `$\{${sign}}`).replace(/[^\x20-\x7e]+/g, '*');
}

function policyText(partition: string, bucket: string, reach: S3Reach): string {
  const arn = `arn:${partition}:s3:::${bucket}`;
  const patterns =
    reach.kind === 'keys' ? reach.keys.map(literal) : reach.prefixes.map((p) => `${literal(p)}*`);
  const statements: object[] = [
    {
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: patterns.map((pattern) => `${arn}/${pattern}`),
    },
  ];
  if (reach.kind === 'prefixes') {
    statements.push({
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [arn],
      // Without the condition, because it would also hide whether an object exists.
      ...(reach.prefixes.includes('') ? {} : { Condition: { StringLike: { 's3:prefix': patterns } } }),
    });
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

const WHOLE_BUCKET: S3Reach = { kind: 'prefixes', prefixes: [''] };

/** The folders that hold everything, at most so many levels deep. */
function folders(reach: S3Reach, levels: number): S3Reach {
  const names = reach.kind === 'keys' ? reach.keys : reach.prefixes;
  const prefixes = new Set(
    names.map((name) => {
      const parts = name.split('/').slice(0, -1).slice(0, levels);
      return parts.length === 0 ? '' : `${parts.join('/')}/`;
    }),
  );
  return prefixes.has('') ? WHOLE_BUCKET : { kind: 'prefixes', prefixes: [...prefixes].sort() };
}

/**
 * Policies for AssumeRole, the narrowest first; the wider ones are for when AWS finds that one too large in its
 * packed form, whose limit it does not tell.
 *
 * @param partition `aws`, `aws-cn` or `aws-us-gov`
 */
export function sessionPolicies(partition: string, bucket: string, reach: S3Reach): string[] {
  const texts = [policyText(partition, bucket, reach)];
  const names = reach.kind === 'keys' ? reach.keys : reach.prefixes;
  const deepest = Math.max(0, ...names.map((name) => name.split('/').length - 1));
  for (let levels = deepest; levels > 0; levels -= 1) {
    texts.push(policyText(partition, bucket, folders(reach, levels)));
  }
  texts.push(policyText(partition, bucket, WHOLE_BUCKET));
  return [...new Set(texts)].filter((text) => text.length <= LONGEST);
}
