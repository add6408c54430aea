/** The bot as a Lambda function behind a function URL: nothing runs, and nothing is paid for, while nobody asks. */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { DockerImageAssetOptions } from 'aws-cdk-lib/aws-ecr-assets';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Role } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  DockerImageCode,
  DockerImageFunction,
  FunctionUrlAuthType,
  InvokeMode,
} from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { IMAGE_FOLDER } from './fargate.ts';
import type { CloudOptions } from './options.ts';

/** @returns the metric of answers that tell of a fault of ours */
export function createBotFunction(
  scope: Construct,
  props: {
    readonly options: CloudOptions;
    readonly role: Role;
    readonly logGroup: ILogGroup;
    readonly settings: Readonly<Record<string, string>>;
    readonly secret: ISecret;
    readonly folder: string;
    readonly image: DockerImageAssetOptions;
  },
): IMetric {
  const { options, role, logGroup } = props;
  // Lambda sets the region by itself and allows nobody else to.
  const { AWS_REGION, ...settings } = props.settings;
  const bot = new DockerImageFunction(scope, 'botFunction', {
    functionName: 'FileFerry-bot',
    code: DockerImageCode.fromImageAsset(props.folder, { ...props.image, cmd: ['bot/lambda.ts'] }),
    architecture: options.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    role,
    logGroup,
    memorySize: 512,
    // A turn may take 90 seconds after its event is acknowledged.
    timeout: Duration.seconds(120),
    environment: {
      ...settings,
      FILEFERRY_CONFIG: `${IMAGE_FOLDER}/fileferry.config.yaml`,
      SETTINGS_SECRET: props.secret.secretArn,
    },
  });
  logGroup.grantWrite(role);
  props.secret.grantRead(role);
  const url = bot.addFunctionUrl({
    // Chat platforms sign their requests themselves; the bot checks it.
    authType: FunctionUrlAuthType.NONE,
    // The answer goes out while the turn still runs.
    invokeMode: InvokeMode.RESPONSE_STREAM,
  });
  new Rule(scope, 'WakeBot', {
    description: 'Lets the bot finish turns that an ended sandbox left',
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [new LambdaFunction(bot, { retryAttempts: 0 })],
  });
  new CfnOutput(scope, 'PublicUrl', { value: url.url });
  return bot.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' });
}
