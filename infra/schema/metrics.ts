/** The metrics' names, defined once as plain data: for the services that emit them and the alarms that watch them. */

export const METRICS = {
  namespace: 'FileFerry',
  /** The only dimension; its value is `bot` or `worker`. One more would make a metric, and a price, of each value. */
  dimension: 'service',
  /** Names of the original system. */
  names: {
    requestDuration: 'RequestDuration',
    requestCount: 'RequestCount',
    requestErrors: 'RequestErrors',
    toolExecutionTime: 'ToolExecutionTime',
    transferSuccess: 'TransferSuccess',
    transferFailure: 'TransferFailure',
    ssoSessionExpired: 'SSOSessionExpired',
    s3CacheHitRate: 'S3CacheHitRate',
  },
} as const;
