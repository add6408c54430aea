/** FileFerryReadOnlyRole from the schema: reads the policy's buckets, writes nothing, trusts the two services only. */
import { Duration, type Stack } from 'aws-cdk-lib';
import {
  ArnPrincipal,
  CompositePrincipal,
  Effect,
  type IRole,
  PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { READ_ONLY_ROLE } from '../schema/role.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import type { CloudOptions } from './options.ts';

/** Its ARN, made from its name: the services' policies name it and it names the services. */
export const readOnlyRoleArn = (stack: Stack) =>
  stack.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: READ_ONLY_ROLE.name });

export function createReadOnlyRole(stack: Stack, options: CloudOptions, services: readonly IRole[]): Role {
  const role = new Role(stack, 'ReadOnlyRole', {
    roleName: READ_ONLY_ROLE.name,
    description: 'The only way of FileFerry to S3: reads the buckets of its policy, writes nothing',
    assumedBy: new CompositePrincipal(
      ...services.map((service) =>
        new ArnPrincipal(service.roleArn).withConditions(READ_ONLY_ROLE.trustConditions).withSessionTags(),
      ),
    ),
    maxSessionDuration: Duration.hours(1),
  });
  const buckets = Object.keys(options.policy.buckets).map((name) =>
    stack.formatArn({ service: 's3', region: '', account: '', resource: name }),
  );
  role.addToPolicy(
    new PolicyStatement({ sid: 'List', actions: [...READ_ONLY_ROLE.bucketActions], resources: buckets }),
  );
  role.addToPolicy(
    new PolicyStatement({
      sid: 'Read',
      actions: [...READ_ONLY_ROLE.objectActions],
      resources: buckets.map((arn) => `${arn}/*`),
    }),
  );
  acknowledgeWildcards(role, [
    {
      resources: buckets.map((arn) => `${arn}/*`),
      reason:
        'It reads every object of the buckets in the policy; each session is narrowed to the keys at hand.',
    },
  ]);
  if (options.sourceKeys.length > 0) {
    role.addToPolicy(
      new PolicyStatement({ sid: 'Decrypt', actions: ['kms:Decrypt'], resources: options.sourceKeys }),
    );
  }
  role.addToPolicy(
    new PolicyStatement({
      sid: 'NeverWrite',
      effect: Effect.DENY,
      actions: [...READ_ONLY_ROLE.deniedActions],
      resources: ['*'],
    }),
  );
  return role;
}
