/** What wakes somebody up, and one page to look at. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { METRICS } from '../schema/metrics.ts';
import type { DataStack } from './data-stack.ts';
import type { CloudOptions } from './options.ts';
import type { ServiceName } from './settings.ts';

const MINUTES_5 = Duration.minutes(5);

/** A metric that the services emit themselves. */
const ours = (name: keyof typeof METRICS.names, service: ServiceName, statistic: string) =>
  new Metric({
    namespace: METRICS.namespace,
    metricName: METRICS.names[name],
    dimensionsMap: { [METRICS.dimension]: service },
    statistic,
    period: MINUTES_5,
  });

interface Watched {
  readonly data: DataStack;
  /** Answers of the bot that tell of a fault of ours, or undefined where nothing is asked of it from outside. */
  readonly botFaults: IMetric | undefined;
  /** Tasks that run, by the service; none for a function. */
  readonly running: Readonly<Partial<Record<ServiceName, IMetric>>>;
}

interface AlarmOf {
  readonly metric: IMetric;
  readonly what: string;
  readonly threshold?: number;
  readonly evaluationPeriods?: number;
  readonly below?: boolean;
}

/** One alarm for all tables: DynamoDB has no metric of an account's throttled requests. */
function throttled({ tables }: DataStack): IMetric {
  const events = Object.values(tables).flatMap((table) =>
    ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
      (metricName) =>
        new Metric({
          namespace: 'AWS/DynamoDB',
          metricName,
          dimensionsMap: { TableName: table.tableName },
          statistic: 'Sum',
          period: MINUTES_5,
        }),
    ),
  );
  const usingMetrics = Object.fromEntries(events.map((metric, index) => [`m${index}`, metric]));
  return new MathExpression({
    label: 'Throttled requests',
    expression: `SUM([${Object.keys(usingMetrics).map((id) => `FILL(${id}, 0)`)}])`,
    usingMetrics,
    period: MINUTES_5,
  });
}

function alarmsOf({ data, botFaults, running }: Watched): Readonly<Record<string, AlarmOf>> {
  const deadLetters = new MathExpression({
    label: 'Dead letters',
    // The worker takes dead letters within seconds, between two looks at how many are there.
    expression: 'FILL(waiting, 0) + FILL(taken, 0)',
    usingMetrics: {
      waiting: data.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      taken: data.deadLetters.metricNumberOfMessagesReceived({ statistic: 'Sum' }),
    },
    period: MINUTES_5,
  });
  return {
    DeadLetters: {
      metric: deadLetters,
      what: 'A transfer was given up: its message was delivered too often. docs/operations.md, "Dead letters".',
    },
    OldestMessage: {
      metric: data.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: MINUTES_5 }),
      threshold: 900,
      what: 'An approved transfer has waited 15 minutes. docs/operations.md, "Transfers wait".',
    },
    FailedTransfers: {
      metric: ours('transferFailure', 'worker', 'Sum'),
      threshold: 3,
      what: 'Three or more transfers failed within 5 minutes. docs/operations.md, "Transfers fail".',
    },
    Throttled: {
      metric: throttled(data),
      threshold: 10,
      what: 'DynamoDB refuses requests. docs/operations.md, "Throttled".',
    },
    ...(botFaults && {
      BotFaults: {
        metric: botFaults,
        threshold: 5,
        what: 'The bot answers chat platforms with 5xx; they try again. docs/operations.md, "The bot fails".',
      },
    }),
    ...Object.fromEntries(
      Object.entries(running).map(([service, metric]) => [
        `${service === 'bot' ? 'Bot' : 'Worker'}Down`,
        {
          metric,
          below: true,
          evaluationPeriods: 2,
          what: `No ${service} has run for 10 minutes. docs/operations.md, "A service is down".`,
        },
      ]),
    ),
  };
}

export function createMonitoring(scope: Construct, options: CloudOptions, watched: Watched): void {
  const topic = new Topic(scope, 'Alarms', { displayName: 'FileFerry', enforceSSL: true });
  if (options.alarmEmail) topic.addSubscription(new EmailSubscription(options.alarmEmail));
  const alarms = Object.entries(alarmsOf(watched)).map(([name, alarm]) => {
    const created = new Alarm(scope, `${name}Alarm`, {
      alarmName: `FileFerry-${name}`,
      alarmDescription: alarm.what,
      metric: alarm.metric,
      threshold: alarm.threshold ?? 1,
      evaluationPeriods: alarm.evaluationPeriods ?? 1,
      comparisonOperator: alarm.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: alarm.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    created.addAlarmAction(new SnsAction(topic));
    return { name, alarm, created };
  });

  const { data, running } = watched;
  const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []) =>
    new GraphWidget({ title, left: [...left], right: [...right], width: 8, height: 6 });
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: 'FileFerry' });
  dashboard.addWidgets(
    new SingleValueWidget({
      title: 'Transfers',
      width: 24,
      height: 4,
      metrics: [
        ours('transferSuccess', 'worker', 'Sum'),
        ours('transferFailure', 'worker', 'Sum'),
        data.queue.metricApproximateNumberOfMessagesVisible(),
        data.queue.metricApproximateAgeOfOldestMessage(),
      ],
    }),
  );
  dashboard.addWidgets(
    graph('Requests', [ours('requestCount', 'bot', 'Sum'), ours('requestErrors', 'bot', 'Sum')]),
    graph('Request duration', [
      ours('requestDuration', 'bot', 'p50'),
      ours('requestDuration', 'bot', 'p99'),
      ours('toolExecutionTime', 'bot', 'p99'),
    ]),
    graph('Cache and sessions', [
      ours('s3CacheHitRate', 'bot', 'Average'),
      ours('ssoSessionExpired', 'bot', 'Sum'),
      ours('ssoSessionExpired', 'worker', 'Sum'),
    ]),
  );
  dashboard.addWidgets(
    graph(
      'Bytes',
      [ours('bytesTransferred', 'worker', 'Sum')],
      [ours('throughput', 'worker', 'p50'), ours('throughput', 'worker', 'p90')],
    ),
    graph(
      'Queue',
      [
        data.queue.metricApproximateNumberOfMessagesVisible(),
        data.queue.metricApproximateNumberOfMessagesNotVisible(),
      ],
      [ours('queueAge', 'worker', 'p90')],
    ),
    graph('Running tasks', Object.values(running)),
    ...alarms.filter(({ name }) => name === 'Throttled').map(({ alarm }) => graph('Tables', [alarm.metric])),
  );
}
