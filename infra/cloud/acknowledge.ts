/** Findings of cdk-nag that stand, each with the reason why. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param findings reasons by the finding's id, such as `AwsSolutions-ECS4` */
export function acknowledge(scope: IConstruct, findings: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(findings)) Validations.of(scope).acknowledge({ id, reason });
}

/** An ARN as cdk-nag writes it: references in angle brackets. */
function shown(stack: Stack, arn: string): string {
  const resolved: unknown = stack.resolve(arn);
  if (typeof resolved === 'string') return resolved;
  const parts = (resolved as { 'Fn::Join'?: [string, (string | { Ref: string })[]] })['Fn::Join']?.[1];
  if (!parts) throw new Error(`an ARN that is not joined of texts and names: ${JSON.stringify(resolved)}`);
  return parts.map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}

/** Every wildcard is a finding of its own: a new one needs a reason of its own. */
export function acknowledgeWildcards(
  scope: IConstruct,
  reasons: readonly { readonly resources: readonly string[]; readonly reason: string }[],
): void {
  const stack = Stack.of(scope);
  for (const { resources, reason } of reasons) {
    for (const arn of resources) {
      acknowledge(scope, { [`AwsSolutions-IAM5[Resource::${shown(stack, arn)}]`]: reason });
    }
  }
}
