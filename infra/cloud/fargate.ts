/** One service on Fargate: its role, its task of one container from the image, and how it is replaced. */
import { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  AwsLogDriverMode,
  type ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
  Secret as TaskSecret,
} from 'aws-cdk-lib/aws-ecs';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Network } from './network.ts';
import type { CloudOptions } from './options.ts';
import { PORTS, type ServiceName } from './settings.ts';

/** Where the program lies in the image. */
export const IMAGE_FOLDER = '/app';

interface FargateProps {
  readonly options: CloudOptions;
  readonly cluster: ICluster;
  readonly network: Network;
  readonly securityGroup: ISecurityGroup;
  readonly image: ContainerImage;
  readonly role: Role;
  readonly logGroup: ILogGroup;
  readonly settings: Readonly<Record<string, string>>;
  readonly secret: ISecret;
  readonly secretFields: readonly string[];
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Seconds between SIGTERM and SIGKILL; Fargate allows 120. */
  readonly stopSeconds: number;
}

export function createFargateService(
  scope: Construct,
  name: ServiceName,
  props: FargateProps,
): FargateService {
  const { options, network } = props;
  const task = new FargateTaskDefinition(scope, `${name}Task`, {
    family: `FileFerry-${name}`,
    cpu: props.cpu,
    memoryLimitMiB: props.memoryMiB,
    taskRole: props.role,
    runtimePlatform: {
      operatingSystemFamily: OperatingSystemFamily.LINUX,
      cpuArchitecture: options.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
    },
  });
  task.addContainer(name, {
    image: props.image,
    command: [`${name}/main.ts`],
    environment: { ...props.settings, FILEFERRY_CONFIG: `${IMAGE_FOLDER}/fileferry.config.yaml` },
    secrets: Object.fromEntries(
      props.secretFields.map((field) => [field, TaskSecret.fromSecretsManager(props.secret, field)]),
    ),
    readonlyRootFilesystem: true,
    portMappings: [{ containerPort: PORTS[name] }],
    stopTimeout: Duration.seconds(props.stopSeconds),
    healthCheck: {
      command: ['CMD', 'node', 'infra/cloud/image/health.ts', String(PORTS[name])],
      interval: Duration.seconds(30),
      timeout: Duration.seconds(5),
      startPeriod: Duration.seconds(30),
      retries: 3,
    },
    // A full pipe of logs must not stop a transfer.
    logging: LogDrivers.awsLogs({
      logGroup: props.logGroup,
      streamPrefix: name,
      mode: AwsLogDriverMode.NON_BLOCKING,
    }),
  });
  acknowledge(task, {
    'AwsSolutions-ECS2':
      'What is given in the environment directly is wiring; secrets come from Secrets Manager.',
  });
  if (task.executionRole) {
    acknowledge(task.executionRole, {
      'AwsSolutions-IAM5[Resource::*]': 'ecr:GetAuthorizationToken knows no resources.',
    });
  }
  return new FargateService(scope, `${name}Service`, {
    serviceName: `FileFerry-${name}`,
    cluster: props.cluster,
    taskDefinition: task,
    vpcSubnets: { subnetType: network.tasks.subnetType },
    assignPublicIp: network.tasks.assignPublicIp,
    securityGroups: [props.securityGroup],
    // The new one is up before the old one goes: claims and leases make two at once harmless.
    minHealthyPercent: 100,
    maxHealthyPercent: 200,
    circuitBreaker: { rollback: true },
    propagateTags: PropagatedTagSource.SERVICE,
    ...(name === 'worker' ? {} : { desiredCount: 1 }),
  });
}
