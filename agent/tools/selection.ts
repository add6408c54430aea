/** Files as the model names them, and which of them it may name: what the person said or a listing showed. */
import { z } from 'zod';
import type { Request, Source } from '../commands/command.ts';
import { formatCommand } from '../commands/format.ts';
import { choice, question } from '../commands/replies.ts';
import { refused, type ToolContext, type ToolOutcome } from './tool.ts';

export const bucketName = z.string().min(1).max(63).describe('Exact name of the bucket');
export const destinationName = z
  .string()
  .min(1)
  .max(63)
  .describe('Name of a registered destination, as list_destinations shows it');
const name = z.string().min(1).max(1_024);

/** One kind of selection, in one bucket. */
export const filesFields = {
  bucket: bucketName,
  keys: z
    .array(name)
    .min(1)
    .max(100)
    .optional()
    .describe('Exact keys, copied from a listing or from the person'),
  prefix: z.string().max(1_024).optional().describe('Everything whose key begins with this'),
  pattern: name.optional().describe('Everything that matches this pattern, such as reports/2026/*.csv'),
} as const;

interface Files {
  readonly bucket: string;
  readonly keys?: readonly string[] | undefined;
  readonly prefix?: string | undefined;
  readonly pattern?: string | undefined;
}

/** For `superRefine`: exactly one of the three. */
export function oneSelection(files: Files, context: z.RefinementCtx): void {
  const given = [files.keys, files.prefix, files.pattern].filter((one) => one !== undefined);
  if (given.length !== 1) {
    context.addIssue({ code: 'custom', message: 'give exactly one of keys, prefix and pattern' });
  }
}

function sourcesOf({ bucket, keys, prefix, pattern }: Files): Source[] {
  if (keys) return keys.map((key) => ({ kind: 'key', bucket, key }));
  if (pattern !== undefined) return [{ kind: 'glob', bucket, pattern }];
  return [{ kind: 'prefix', bucket, prefix: prefix ?? '' }];
}

/**
 * The request as far as it rests on evidence. A single file that nobody named becomes a description, which the
 * planner answers with candidates; a folder or a pattern that nobody named is asked about; several files have
 * to be listed first. A destination that the person did not speak of is left open, so that it is asked for.
 */
export function groundedRequest(
  context: ToolContext,
  files: Files,
  rest: Omit<Request, 'sources' | 'bucket'>,
): { readonly request: Request } | { readonly outcome: ToolOutcome } {
  const { evidence, deps } = context;
  const { destination, ...others } = rest;
  const aliases = destination === undefined ? [] : (deps.policy.destinations[destination]?.aliases ?? []);
  const meant = destination !== undefined && evidence.meansDestination(destination, aliases);
  const request: Request = {
    ...others,
    sources: sourcesOf(files),
    ...(meant ? { destination } : {}),
  };
  const unknown = (files.keys ?? []).filter((key) => !evidence.knows(files.bucket, key));
  if (unknown.length > 0) {
    if ((files.keys ?? []).length > 1) {
      return {
        outcome: refused(
          `Neither the person nor a listing named ${unknown.slice(0, 5).join(', ')}. List them first with list_bucket_contents.`,
        ),
      };
    }
    const words = unknown[0] ?? '';
    return { request: { ...request, sources: [{ kind: 'words', bucket: files.bucket, words }] } };
  }
  const wide = files.pattern ?? files.prefix;
  if (wide !== undefined && !evidence.knows(files.bucket, wide)) {
    const what =
      files.pattern === undefined
        ? `everything under s3://${files.bucket}/${wide}`
        : `s3://${files.bucket}/${wide}`;
    return {
      outcome: {
        kind: 'reply',
        reply: question(`Do you mean ${what}?`, [
          choice(`Yes, ${what}`, formatCommand({ kind: 'send', ...request })),
        ]),
      },
    };
  }
  return { request };
}
