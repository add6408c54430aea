/** The transfer queue and its dead-letter queue, defined once as plain data. */

export const QUEUE = {
  name: 'FileFerry-Transfers',
  deadLetterName: 'FileFerry-Transfers-dead-letters',
  /** After so many receives without a delete, the next receive moves a message to the dead-letter queue. */
  maxReceiveCount: 5,
  /** Seconds; the worker renews it while it is at work. */
  visibilityTimeout: 60,
  /** Seconds; SQS keeps nothing longer than 14 days. */
  retention: 14 * 24 * 60 * 60,
} as const;
