/** How chat platforms reach the bot on Fargate: API Gateway or a load balancer, both for the chat paths alone. */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  VpcLink,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpServiceDiscoveryIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { type ISecurityGroup, Peer, Port } from 'aws-cdk-lib/aws-ec2';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  HttpCodeTarget,
  ListenerAction,
  ListenerCondition,
  SslPolicy,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { Construct } from 'constructs';
import { CHAT_PATHS } from '../../bot/chat-paths.ts';
import { acknowledge } from './acknowledge.ts';
import type { Network } from './network.ts';
import type { CloudOptions } from './options.ts';
import { PORTS } from './settings.ts';

const chatPathsOf = ({ chats }: Pick<CloudOptions, 'chats'>): string[] =>
  chats.map((chat) => CHAT_PATHS[chat]);

const PORT = Port.tcp(PORTS.bot);

interface IngressProps {
  readonly options: CloudOptions;
  readonly network: Network;
  readonly service: FargateService;
  /** Of the bot's tasks. */
  readonly securityGroup: ISecurityGroup;
  readonly logGroup: ILogGroup;
}

/** @returns the metric of answers that tell of a fault of ours */
export function createHttpApi(scope: Construct, props: IngressProps): IMetric {
  const { network, service } = props;
  const namespace = new PrivateDnsNamespace(scope, 'Namespace', {
    name: 'fileferry.internal',
    vpc: network.vpc,
  });
  const discovery = service.enableCloudMap({
    cloudMapNamespace: namespace,
    name: 'bot',
    // With SRV records API Gateway learns the port as well.
    dnsRecordType: DnsRecordType.SRV,
    containerPort: PORTS.bot,
    dnsTtl: Duration.seconds(10),
  });
  const linkGroup = network.securityGroup('VpcLinkGroup', 'API Gateway on its way to the bot');
  props.securityGroup.addIngressRule(linkGroup, PORT, 'API Gateway');
  const vpcLink = new VpcLink(scope, 'VpcLink', {
    vpc: network.vpc,
    subnets: { subnetType: network.tasks.subnetType },
    securityGroups: [linkGroup],
  });
  const api = new HttpApi(scope, 'Api', { apiName: 'FileFerry', createDefaultStage: false });
  new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: 100, burstLimit: 200 },
    accessLogSettings: { destination: new LogGroupLogDestination(props.logGroup) },
  });
  const integration = new HttpServiceDiscoveryIntegration('Bot', discovery, { vpcLink });
  for (const path of chatPathsOf(props.options)) {
    const routes = api.addRoutes({ path, methods: [HttpMethod.POST], integration });
    for (const route of routes) {
      acknowledge(route, {
        'AwsSolutions-APIG4':
          'Slack and Teams sign their requests and the bot checks it; no authorizer of API Gateway knows their signatures.',
      });
    }
  }
  new CfnOutput(scope, 'PublicUrl', { value: api.apiEndpoint });
  return api.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' });
}

/** @returns the metric of answers that tell of a fault of ours */
export function createLoadBalancer(
  scope: Construct,
  props: IngressProps & { readonly certificateArn: string },
): IMetric {
  const { network, service } = props;
  const balancerGroup = network.securityGroup('BalancerGroup', 'Chat platforms on their way to the bot');
  balancerGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS from chat platforms');
  props.securityGroup.addIngressRule(balancerGroup, PORT, 'Load balancer');
  const balancer = new ApplicationLoadBalancer(scope, 'Balancer', {
    vpc: network.vpc,
    internetFacing: true,
    securityGroup: balancerGroup,
    dropInvalidHeaderFields: true,
  });
  const listener = balancer.addListener('Https', {
    port: 443,
    open: false,
    protocol: ApplicationProtocol.HTTPS,
    sslPolicy: SslPolicy.RECOMMENDED_TLS,
    certificates: [{ certificateArn: props.certificateArn }],
    defaultAction: ListenerAction.fixedResponse(404),
  });
  const targets = listener.addTargets('Bot', {
    priority: 1,
    conditions: [
      ListenerCondition.pathPatterns(chatPathsOf(props.options)),
      ListenerCondition.httpRequestMethods(['POST']),
    ],
    port: PORTS.bot,
    protocol: ApplicationProtocol.HTTP,
    targets: [service],
    healthCheck: { path: '/healthz', interval: Duration.seconds(15) },
    deregistrationDelay: Duration.seconds(20),
  });
  acknowledge(balancerGroup, {
    'AwsSolutions-EC23':
      'Chat platforms call from addresses that they do not promise; every request is signed.',
  });
  acknowledge(balancer, {
    'AwsSolutions-ELB2':
      'The bot logs every request that counts; access logs need a bucket in an account of the region: add one where rules ask for it.',
  });
  new CfnOutput(scope, 'PublicUrl', { value: `https://${balancer.loadBalancerDnsName}` });
  return targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
    period: Duration.minutes(5),
    statistic: 'Sum',
  });
}
