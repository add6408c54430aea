/** The network: by default public subnets that nothing can connect into, and S3 and DynamoDB without detours. */
import {
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { CloudOptions } from './options.ts';

export interface Network {
  readonly vpc: Vpc;
  /** Where tasks run, and whether they need a public address to reach the world. */
  readonly tasks: { readonly subnetType: SubnetType; readonly assignPublicIp: boolean };
  /** A group that lets everything out and nothing in. */
  securityGroup(id: string, description: string): ISecurityGroup;
}

export function createNetwork(scope: Construct, options: CloudOptions): Network {
  const isPrivate = options.network === 'private';
  const vpc = new Vpc(scope, 'Network', {
    ipAddresses: IpAddresses.cidr('10.42.0.0/20'),
    maxAzs: 2,
    natGateways: isPrivate ? 1 : 0,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
      ...(isPrivate ? [{ name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS }] : []),
    ],
    gatewayEndpoints: {
      S3: { service: GatewayVpcEndpointAwsService.S3 },
      DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
    },
  });
  acknowledge(vpc, {
    'AwsSolutions-VPC7':
      'Nothing can connect into the tasks but the ingress; flow logs of the bytes that are carried would cost more than all else. Turn them on for an incident.',
  });
  return {
    vpc,
    tasks: {
      subnetType: isPrivate ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC,
      assignPublicIp: !isPrivate,
    },
    securityGroup: (id, description) =>
      new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: true }),
  };
}
