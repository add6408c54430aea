/** What a deployment replaces: the bot, the workers, their roles and network, the way in, and what watches them. */
import { CfnOutput, Duration, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Cluster, ContainerImage, ContainerInsights, type FargateService } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from './acknowledge.ts';
import { createBotFunction } from './bot-function.ts';
import { type DataStack, TABLE_PREFIX } from './data-stack.ts';
import { createFargateService } from './fargate.ts';
import { createHttpApi, createLoadBalancer } from './ingress.ts';
import { createMonitoring } from './monitoring.ts';
import { createNetwork } from './network.ts';
import { type CloudOptions, ROOT } from './options.ts';
import { statementsFor, wildcardsOf } from './permissions.ts';
import { createReadOnlyRole, readOnlyRoleArn } from './read-only-role.ts';
import { SERVICE_NAMES, type ServiceName, secretFieldsOf, settingsOf } from './settings.ts';
import { scaleWorkers } from './worker-scaling.ts';

/** The folder's allow-list, `.dockerignore`, keeps everything else out. */
const imageProps = (options: CloudOptions) => ({
  file: 'infra/cloud/Dockerfile',
  buildArgs: { POLICY_FILE: options.policyFile },
  platform: options.architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
});

const CLUSTER = 'FileFerry';

const byService = <T>(make: (service: ServiceName) => T) =>
  Object.fromEntries(SERVICE_NAMES.map((service) => [service, make(service)])) as Record<ServiceName, T>;

export class ServiceStack extends Stack {
  /** Two zones by number, so that nobody has to ask AWS for their names. */
  override get availabilityZones(): string[] {
    return [Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())];
  }

  constructor(
    scope: Construct,
    id: string,
    props: StackProps & { readonly options: CloudOptions; readonly data: DataStack },
  ) {
    super(scope, id, props);
    const { options, data } = props;
    const isFunction = options.ingress === 'function-url';
    const roleArn = readOnlyRoleArn(this);

    const logGroups = byService(
      (service) =>
        new LogGroup(this, `${service}Log`, {
          logGroupName: `/fileferry/${service}`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.RETAIN,
        }),
    );
    const roles = byService((service) => {
      const lambda = isFunction && service === 'bot';
      const role = new Role(this, `${service}Role`, {
        roleName: `FileFerry-${service}`,
        assumedBy: new ServicePrincipal(lambda ? 'lambda.amazonaws.com' : 'ecs-tasks.amazonaws.com'),
      });
      for (const statement of statementsFor(service, this, data, options, roleArn))
        role.addToPolicy(statement);
      acknowledgeWildcards(role, wildcardsOf(service, this, options));
      return role;
    });
    createReadOnlyRole(this, options, Object.values(roles));

    const facts = {
      region: this.region,
      tablePrefix: TABLE_PREFIX,
      queueUrl: data.queue.queueUrl,
      deadLetterQueueUrl: data.deadLetters.queueUrl,
      readOnlyRoleArn: roleArn,
      auditBucket: data.auditBucket.bucketName,
    };
    const network = createNetwork(this, options);
    const cluster = new Cluster(this, 'Cluster', {
      clusterName: CLUSTER,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    acknowledge(cluster, {
      'AwsSolutions-ECS4':
        'Running tasks, processor and memory come with ECS for nothing; Container Insights would cost more than the idle tasks do.',
    });
    const image = ContainerImage.fromAsset(ROOT, imageProps(options));
    const groups = byService((service) => network.securityGroup(`${service}Group`, `FileFerry ${service}`));
    const fargate = (service: ServiceName, size: { cpu: number; memoryMiB: number; stopSeconds: number }) =>
      createFargateService(this, service, {
        options,
        cluster,
        network,
        securityGroup: groups[service],
        image,
        role: roles[service],
        logGroup: logGroups[service],
        settings: settingsOf(service, options, facts),
        secret: data.secrets[service],
        secretFields: secretFieldsOf(service, options),
        ...size,
      });

    const worker = fargate('worker', { cpu: 256, memoryMiB: 512, stopSeconds: 120 });
    scaleWorkers(this, options, { cluster, service: worker, queue: data.queue });
    // A worker protects itself from being scaled in while it has transfers under way.
    const ownTasks = this.formatArn({ service: 'ecs', resource: 'task', resourceName: `${CLUSTER}/*` });
    roles.worker.addToPolicy(
      new PolicyStatement({
        actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
        resources: [ownTasks],
      }),
    );
    acknowledgeWildcards(roles.worker, [
      { resources: [ownTasks], reason: 'A task learns its id when it runs.' },
    ]);

    let botFaults: IMetric | undefined;
    let bot: FargateService | undefined;
    if (isFunction) {
      botFaults = createBotFunction(this, {
        options,
        role: roles.bot,
        logGroup: logGroups.bot,
        settings: settingsOf('bot', options, facts),
        secret: data.secrets.bot,
        folder: ROOT,
        image: imageProps(options),
      });
    } else {
      bot = fargate('bot', { cpu: 256, memoryMiB: 512, stopSeconds: 60 });
      const ingress = { options, network, service: bot, securityGroup: groups.bot, logGroup: logGroups.bot };
      if (options.ingress === 'http-api') botFaults = createHttpApi(this, ingress);
      if (options.ingress === 'alb') {
        botFaults = createLoadBalancer(this, { ...ingress, certificateArn: options.certificateArn ?? '' });
      }
    }

    const runningTasks = (service: FargateService) =>
      new Metric({
        namespace: 'AWS/ECS',
        metricName: 'CPUUtilization',
        dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: service.serviceName },
        statistic: 'SampleCount',
        period: Duration.minutes(5),
        label: service.node.id,
      });
    createMonitoring(this, options, {
      data,
      botFaults,
      running: { worker: runningTasks(worker), ...(bot && { bot: runningTasks(bot) }) },
    });
    new CfnOutput(this, 'ReadOnlyRoleArn', { value: roleArn });
  }
}
