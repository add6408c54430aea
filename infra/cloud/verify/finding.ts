/** What verification says about one thing, and how a look at it becomes that. */
import { FerryError } from '../../../core/errors.ts';

/** `unknown`: could not be looked at here, which is neither good nor bad. */
export type Status = 'ok' | 'wrong' | 'unknown';

export interface Finding {
  /** Such as `tables` or `destinations`. */
  readonly area: string;
  /** What was looked at. */
  readonly what: string;
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** What to do about it; nothing where all is well. */
  readonly todo?: string;
}

type Outcome = Pick<Finding, 'status' | 'found' | 'todo'>;

export const ok = (found: string): Outcome => ({ status: 'ok', found });
export const wrong = (found: string, todo: string): Outcome => ({ status: 'wrong', found, todo });
export const unknown = (found: string): Outcome => ({ status: 'unknown', found });

/** Right when what was found is what was wanted. */
export const compare = (found: string, wanted: string, todo: string): Outcome =>
  found === wanted ? ok(found) : wrong(`${found}, wanted ${wanted}`, todo);

/** An error in few words: those for people where there are some. */
export function reasonOf(error: unknown): string {
  if (error instanceof FerryError) return error.userMessage;
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}`.split('\n', 1)[0]?.slice(0, 200) ?? error.name;
}

/** Looks, and takes an error as a finding. */
export async function look(
  area: string,
  what: string,
  todo: string,
  how: () => Promise<Outcome>,
): Promise<Finding> {
  const outcome = await how().catch((error: unknown) => wrong(reasonOf(error), todo));
  return { area, what, ...outcome };
}
