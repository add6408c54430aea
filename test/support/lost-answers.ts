/** Answers of DynamoDB that get lost on the way back, after what was asked has happened. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * Loses the answer to the next call of an operation, below the SDK's own retries.
 *
 * @param operation as in `PutItem`
 */
export function loseNextAnswer(client: DynamoDBDocumentClient, operation: string): void {
  let isLost = false;
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers } = args.request as { headers: Readonly<Record<string, string>> };
      if (isLost || !headers['x-amz-target']?.endsWith(`.${operation}`)) return answer;
      isLost = true;
      // What the request handler throws when no answer comes in time: the SDK tries again.
      throw Object.assign(new Error('the answer was lost'), { name: 'TimeoutError' });
    },
    { step: 'deserialize', priority: 'low', name: `lose-${operation}`, override: true },
  );
}
