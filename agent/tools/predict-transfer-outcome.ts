/** The tool `predict_transfer_outcome`: duration and success rate to expect, with how far they can be trusted. */
import { z } from 'zod';
import { usableDestinations } from '../../core/policy.ts';
import { measureFiles } from './measure.ts';
import { destinationName, filesFields } from './selection.ts';
import { data, defineTool, refused } from './tool.ts';

const { bucket, ...selection } = filesFields;

export const predictTransferOutcome = defineTool({
  name: 'predict_transfer_outcome',
  description:
    'Predicts how long a transfer to a destination takes and how likely it succeeds, from earlier ones. Give `bytes`, or a bucket with exactly one of keys, prefix and pattern.',
  input: z
    .strictObject({
      destination: destinationName,
      bytes: z.int().nonnegative().optional(),
      bucket: bucket.optional(),
      ...selection,
    })
    .superRefine((input, context) => {
      const ways = [input.keys, input.prefix, input.pattern].filter((one) => one !== undefined).length;
      const good = input.bytes === undefined ? ways === 1 && input.bucket !== undefined : ways === 0;
      if (!good) {
        context.addIssue({
          code: 'custom',
          message: 'give bytes alone, or a bucket and exactly one of keys, prefix and pattern',
        });
      }
    }),
  async run(input, context) {
    const { deps, turn } = context;
    if (!usableDestinations(deps.policy, turn.person).includes(input.destination)) {
      return refused(`There is no destination ${input.destination} that this person may use.`);
    }
    let { bytes } = input;
    if (bytes === undefined) {
      const measured = await measureFiles(context, { ...input, bucket: input.bucket ?? '' });
      if (measured.kind === 'refused') return measured;
      bytes = measured.bytes;
    }
    const forecast = await deps.learning.forecast(input.destination, bytes);
    return data(forecast ? { bytes, forecast } : { bytes, forecast: 'nothing of that size was sent yet' });
  },
});
