/** What outlives every deployment: tables, queues, the services' secrets, and the bucket of audit events. */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { QUEUE } from '../schema/queue.ts';
import { type KeyAttribute, TABLES, type TableDefinition } from '../schema/tables.ts';
import { acknowledge } from './acknowledge.ts';
import type { CloudOptions } from './options.ts';
import { type ServiceName, secretFieldsOf } from './settings.ts';

export type TableName = keyof typeof TABLES;

export const TABLE_PREFIX = 'FileFerry-';

/** Bucket names are unique in the world. */
export const auditBucketName = (stack: Stack) => `fileferry-audit-${stack.account}-${stack.region}`;

const attribute = ({ name, type }: KeyAttribute): Attribute => ({
  name,
  type: type === 'S' ? AttributeType.STRING : AttributeType.NUMBER,
});

function createTable(scope: Construct, name: string, definition: TableDefinition): Table {
  const table = new Table(scope, name, {
    tableName: `${TABLE_PREFIX}${name}`,
    partitionKey: attribute(definition.partitionKey),
    ...(definition.sortKey && { sortKey: attribute(definition.sortKey) }),
    ...(definition.ttl && { timeToLiveAttribute: definition.ttl.attribute }),
    billingMode: BillingMode[definition.billing],
    encryption: TableEncryption.AWS_MANAGED,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const index of definition.indexes) {
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: attribute(index.partitionKey),
      sortKey: attribute(index.sortKey),
      projectionType: ProjectionType[index.projection],
    });
  }
  return table;
}

export class DataStack extends Stack {
  readonly tables: Readonly<Record<TableName, Table>>;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly secrets: Readonly<Record<ServiceName, ISecret>>;
  readonly auditBucket: Bucket;

  constructor(scope: Construct, id: string, props: StackProps & { readonly options: CloudOptions }) {
    super(scope, id, { ...props, terminationProtection: true });
    const { options } = props;

    this.tables = Object.fromEntries(
      Object.entries(TABLES).map(([name, definition]) => [name, createTable(this, name, definition)]),
    ) as Record<TableName, Table>;

    this.deadLetters = new Queue(this, 'DeadLetters', {
      queueName: QUEUE.deadLetterName,
      retentionPeriod: Duration.seconds(QUEUE.retention),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.queue = new Queue(this, 'Transfers', {
      queueName: QUEUE.name,
      retentionPeriod: Duration.seconds(QUEUE.retention),
      visibilityTimeout: Duration.seconds(QUEUE.visibilityTimeout),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: QUEUE.maxReceiveCount },
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    const secret = (service: ServiceName) => {
      // Empty until somebody puts the values in: a value generated here would replace theirs on a later deployment.
      const created = new CfnSecret(this, `${service}Secret`, {
        name: `FileFerry/${service}`,
        description: `FileFerry's ${service}: a JSON object of ${secretFieldsOf(service, options).join(', ')}`,
      });
      created.applyRemovalPolicy(RemovalPolicy.RETAIN);
      return Secret.fromSecretCompleteArn(this, `${service}SecretArn`, created.ref);
    };
    this.secrets = { bot: secret('bot'), worker: secret('worker') };

    this.auditBucket = new Bucket(this, 'Audit', {
      bucketName: auditBucketName(this),
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(options.auditDays)),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          transitions: [
            { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(90) },
          ],
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });

    acknowledge(this, {
      'AwsSolutions-SMG4':
        'The values come from Slack, Microsoft and ServiceNow, which Secrets Manager cannot rotate; docs/operations.md has the steps.',
      'AwsSolutions-S1':
        'Its objects are locked and written by two roles only; who read them is for CloudTrail data events, which an organisation turns on for all its buckets or none.',
    });

    for (const [name, value] of Object.entries({
      QueueUrl: this.queue.queueUrl,
      DeadLetterQueueUrl: this.deadLetters.queueUrl,
      AuditBucket: this.auditBucket.bucketName,
    })) {
      new CfnOutput(this, name, { value });
    }
  }
}
