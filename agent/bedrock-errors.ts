/** Bedrock's faults in our words, and whether another model may do better. */
import { FerryError } from '../core/errors.ts';

interface SdkFault {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const isSdkFault = (thrown: unknown): thrown is SdkFault & Error => thrown instanceof Error;

const fault = (code: FerryError['code'], userMessage: string, cause: unknown, retryable = true) =>
  new FerryError(code, { retryable, userMessage, cause });

/**
 * By name where the service gave one, by status where a proxy stripped it.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
 */
export function translateBedrockError(thrown: unknown): FerryError {
  if (thrown instanceof FerryError) return thrown;
  if (!isSdkFault(thrown)) return fault('unavailable', 'The model failed.', thrown);
  const status = thrown.$metadata?.httpStatusCode;
  switch (thrown.name) {
    case 'ThrottlingException':
    case 'ServiceQuotaExceededException':
      return fault('throttled', 'The model is busy.', thrown);
    case 'ModelTimeoutException':
    case 'TimeoutError':
      return fault('timeout', 'The model did not answer in time.', thrown);
    case 'AccessDeniedException':
    case 'ResourceNotFoundException':
    case 'CredentialsProviderError':
      return fault('not_allowed', 'FileFerry may not use this model.', thrown, false);
    case 'ValidationException':
      return fault('bad_input', 'The model refused the request.', thrown, false);
    default:
      if (status === 429) return fault('throttled', 'The model is busy.', thrown);
      if (status === 408) return fault('timeout', 'The model did not answer in time.', thrown);
      if (status === 401 || status === 403 || status === 404)
        return fault('not_allowed', 'FileFerry may not use this model.', thrown, false);
      if (status === 400) return fault('bad_input', 'The model refused the request.', thrown, false);
      return fault('unavailable', 'The model cannot be reached.', thrown);
  }
}

/** What was wrong with the request itself would be wrong for any model. */
export const isWorthAnotherModel = (thrown: unknown): boolean =>
  thrown instanceof FerryError && thrown.code !== 'bad_input' && thrown.code !== 'cancelled';
