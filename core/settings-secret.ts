/** Settings that are kept together in one secret, as a JSON object: for where nobody puts them into the environment. */
import { z } from 'zod';
import { FerryError } from './errors.ts';
import type { ResolveSecret } from './secrets.ts';

const settingsSchema = z.record(z.string(), z.string());

/**
 * @param id the secret's name or ARN in Secrets Manager
 * @throws FerryError that names the secret, never its content
 */
export async function settingsFromSecret(
  resolve: ResolveSecret,
  id: string,
): Promise<Record<string, string>> {
  const text = await resolve(`secretsmanager:${id}`);
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch {
    // Neither the parser's nor zod's words: both quote what they were given.
    throw new FerryError('internal', {
      userMessage: `The secret ${id} is not a JSON object of settings and their values.`,
    });
  }
}
