/** The metrics' names, defined once as plain data: for the services that emit them and the alarms that watch them. */

export const METRICS = {
  namespace: 'FileFerry',
  /** The only dimension; its value is `bot` or `worker`. One more would make a metric, and a price, of each value. */
  dimension: 'service',
  /** Names of the original system, then those of ours. */
  names: {
    requestDuration: 'RequestDuration',
    requestCount: 'RequestCount',
    requestErrors: 'RequestErrors',
    toolExecutionTime: 'ToolExecutionTime',
    transferSuccess: 'TransferSuccess',
    transferFailure: 'TransferFailure',
    ssoSessionExpired: 'SSOSessionExpired',
    s3CacheHitRate: 'S3CacheHitRate',
    bytesTransferred: 'BytesTransferred',
    throughput: 'Throughput',
    queueAge: 'QueueAge',
  },
  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
  units: {
    requestDuration: 'Milliseconds',
    requestCount: 'Count',
    requestErrors: 'Count',
    toolExecutionTime: 'Milliseconds',
    transferSuccess: 'Count',
    transferFailure: 'Count',
    ssoSessionExpired: 'Count',
    s3CacheHitRate: 'Percent',
    bytesTransferred: 'Bytes',
    throughput: 'Bytes/Second',
    queueAge: 'Milliseconds',
  },
} as const;
