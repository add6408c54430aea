/** As many workers as the queue needs: tracks the transfers, waiting or under way, that each running task has. */
import { CfnScalingPolicy, ScalableTarget, ServiceNamespace } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { FargateService, ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { CloudOptions } from './options.ts';

/** Transfers that one worker runs at once unless WORKER_CONCURRENCY says otherwise. */
const CONCURRENCY = 4;

export function scaleWorkers(
  scope: Construct,
  options: CloudOptions,
  parts: { readonly cluster: ICluster; readonly service: FargateService; readonly queue: IQueue },
): void {
  const { cluster, service, queue } = parts;
  const target = new ScalableTarget(scope, 'WorkerScaling', {
    serviceNamespace: ServiceNamespace.ECS,
    resourceId: `service/${cluster.clusterName}/${service.serviceName}`,
    scalableDimension: 'ecs:service:DesiredCount',
    minCapacity: options.minWorkers,
    maxCapacity: options.maxWorkers,
  });
  target.node.addDependency(service);
  const messages = (id: string, metricName: string) => ({
    id,
    returnData: false,
    metricStat: {
      metric: {
        namespace: 'AWS/SQS',
        metricName,
        dimensions: [{ name: 'QueueName', value: queue.queueName }],
      },
      stat: 'Average',
    },
  });
  new CfnScalingPolicy(scope, 'BacklogPerWorker', {
    policyName: 'FileFerry-backlog-per-worker',
    policyType: 'TargetTrackingScaling',
    scalingTargetId: target.scalableTargetId,
    targetTrackingScalingPolicyConfiguration: {
      targetValue: Number(options.settings.WORKER_CONCURRENCY ?? CONCURRENCY),
      scaleOutCooldown: 60,
      scaleInCooldown: 300,
      customizedMetricSpecification: {
        metrics: [
          messages('waiting', 'ApproximateNumberOfMessagesVisible'),
          messages('running', 'ApproximateNumberOfMessagesNotVisible'),
          {
            id: 'tasks',
            returnData: false,
            // One sample a minute of each task: counts them without Container Insights and its price.
            // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
            metricStat: {
              metric: {
                namespace: 'AWS/ECS',
                metricName: 'CPUUtilization',
                dimensions: [
                  { name: 'ClusterName', value: cluster.clusterName },
                  { name: 'ServiceName', value: service.serviceName },
                ],
              },
              stat: 'SampleCount',
            },
          },
          {
            id: 'backlog',
            label: 'Transfers per worker',
            expression: '(FILL(waiting, 0) + FILL(running, 0)) / IF(FILL(tasks, 1) > 0, FILL(tasks, 1), 1)',
            returnData: true,
          },
        ],
      },
    },
  });
}
