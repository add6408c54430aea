/** The tool `analyze_transfer_request`: everything about a request that can be known before it is proposed. */
import { z } from 'zod';
import { checkTargetPath } from '../../core/object-name.ts';
import { destinationOf, mayRequest } from '../../core/policy.ts';
import { measureFiles } from './measure.ts';
import { destinationName, filesFields, oneSelection } from './selection.ts';
import { data, defineTool, refused } from './tool.ts';

export const analyzeTransferRequest = defineTool({
  name: 'analyze_transfer_request',
  description:
    'Counts the files and bytes of a possible transfer and checks permission, limits, archived files and the target path. Stores nothing.',
  input: z
    .strictObject({
      ...filesFields,
      destination: destinationName,
      targetPath: z.string().max(1_000).optional(),
    })
    .superRefine(oneSelection),
  async run(input, context) {
    const { deps, turn } = context;
    const { bucket, destination, targetPath } = input;
    const path = targetPath === undefined ? undefined : checkTargetPath(targetPath);
    if (path && !path.ok) return refused(path.reason);
    const measured = await measureFiles(context, input);
    if (measured.kind === 'refused') return measured;
    const { keys, count, bytes, archived } = measured;
    const verdict = mayRequest(deps.policy, turn.person, {
      bucket,
      keys,
      destination,
      totalBytes: bytes,
      objectCount: count,
    });
    // A destination that they may not use is not described to them either.
    const registered = verdict.allowed ? destinationOf(deps.policy, destination) : undefined;
    return data({
      files: count,
      bytes,
      archivedFiles: archived,
      permission: verdict,
      ...(registered ? { ifNameIsTaken: registered.existing, encrypted: registered.tls !== 'none' } : {}),
      forecast: verdict.allowed ? await deps.learning.forecast(destination, bytes) : undefined,
    });
  },
});
