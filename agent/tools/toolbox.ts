/** All tools of the model. None of them approves, runs, changes policy or sees a secret. */
import { analyzeTransferRequest } from './analyze-transfer-request.ts';
import { cancelTransfer } from './cancel-transfer.ts';
import { createServicenowTickets } from './create-servicenow-tickets.ts';
import { executeTransfer } from './execute-transfer.ts';
import { getFileMetadata } from './get-file-metadata.ts';
import { getTransferHistory } from './get-transfer-history.ts';
import { getTransferStatus } from './get-transfer-status.ts';
import { listBucketContents } from './list-bucket-contents.ts';
import { listDestinations } from './list-destinations.ts';
import { listS3Buckets } from './list-s3-buckets.ts';
import { predictTransferOutcome } from './predict-transfer-outcome.ts';
import { retryTransfer } from './retry-transfer.ts';
import type { Tool } from './tool.ts';
import { validateUserAccess } from './validate-user-access.ts';

export const TOOLBOX: readonly Tool[] = [
  listS3Buckets,
  listBucketContents,
  getFileMetadata,
  validateUserAccess,
  analyzeTransferRequest,
  predictTransferOutcome,
  createServicenowTickets,
  executeTransfer,
  getTransferHistory,
  getTransferStatus,
  cancelTransfer,
  retryTransfer,
  listDestinations,
];
