/** What a month without any transfer costs, counted from the synthesized stacks. */
import { readOptions } from '../infra/cloud/options.ts';
import { METRICS } from '../infra/schema/metrics.ts';
import { synthesize } from '../test/support/cloud.ts';
import { dollars, HOURS_A_MONTH } from './prices.ts';

/** Dollars a month by what they are for. */
export type Footprint = Readonly<Record<string, number>>;

/**
 * @param choices options of the deployment, as `-c name=value` gives them
 */
export function idleFootprint(choices: Readonly<Record<string, unknown>> = {}): Footprint {
  const cloud = synthesize(choices);
  const { minWorkers } = readOptions((name) => choices[name]);
  const countOf = (type: string) => cloud.resources(type).size;
  const tasks = cloud.resources('AWS::ECS::TaskDefinition');
  let processors = 0;
  let memory = 0;
  let addresses = 0;
  for (const { Properties: service } of cloud.resources('AWS::ECS::Service').values()) {
    const count = service.DesiredCount ?? minWorkers;
    const task = [...tasks].find(
      ([id, { Properties }]) => service.TaskDefinition === id || service.TaskDefinition === Properties.Family,
    )?.[1].Properties;
    if (!task) throw new Error(`there is no task of ${service.ServiceName}`);
    processors += (count * Number(task.Cpu)) / 1_024;
    memory += (count * Number(task.Memory)) / 1_024;
    if (service.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp === 'ENABLED') addresses += count;
  }
  const gateways = countOf('AWS::EC2::NatGateway');
  const interfaces = [...cloud.resources('AWS::EC2::VPCEndpoint').values()]
    .filter(({ Properties }) => Properties.VpcEndpointType === 'Interface')
    .reduce((sum, { Properties }) => sum + Properties.SubnetIds.length, 0);
  const alarmMetrics = [...cloud.resources('AWS::CloudWatch::Alarm').values()].reduce(
    (sum, { Properties: { Metrics = [{ MetricStat: {} }] } }) =>
      sum + Metrics.filter((metric: { MetricStat?: object }) => metric.MetricStat).length,
    0,
  );
  const all = {
    'Fargate tasks':
      dollars('fargateProcessorHour', processors * HOURS_A_MONTH) +
      dollars('fargateMemoryHour', memory * HOURS_A_MONTH),
    'Public addresses': dollars('publicAddressHour', (addresses + gateways) * HOURS_A_MONTH),
    'NAT gateways': dollars('natHour', gateways * HOURS_A_MONTH),
    'Load balancers': dollars(
      'loadBalancerHour',
      countOf('AWS::ElasticLoadBalancingV2::LoadBalancer') * HOURS_A_MONTH,
    ),
    'Interface endpoints': dollars('interfaceEndpointHour', interfaces * HOURS_A_MONTH),
    Secrets: dollars('secretMonth', countOf('AWS::SecretsManager::Secret')),
    Keys: dollars('keyMonth', countOf('AWS::KMS::Key')),
    Alarms: dollars('alarmMetricMonth', alarmMetrics),
    Dashboard: dollars('dashboardMonth', countOf('AWS::CloudWatch::Dashboard')),
    'Metrics of our own': dollars('customMetricMonth', Object.keys(METRICS.names).length * 2),
  };
  return Object.fromEntries(Object.entries(all).filter(([, usd]) => usd > 0));
}
