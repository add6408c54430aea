/** An incident as FileFerry sees it, and how it is read from and asked of the Table API. */
import { z } from 'zod';
import { FerryError } from './errors.ts';
import { plainText } from './shown-text.ts';

/** Values of `incident.state` in the base system. */
export const INCIDENT_STATE = {
  new: '1',
  inProgress: '2',
  onHold: '3',
  resolved: '6',
  closed: '7',
  canceled: '8',
} as const;

export interface Incident {
  /** 32 hex digits. */
  readonly sysId: string;
  /** Such as `INC0010001`. */
  readonly number: string;
  /** One of {@link INCIDENT_STATE}, or an instance's own. */
  readonly state: string;
  readonly correlationId: string;
  readonly correlationDisplay: string;
  /** `YYYY-MM-DD HH:MM:SS` in UTC. */
  readonly createdOn: string;
}

/** What may be written, by ServiceNow's names. `assignment_group` is a group's name or sys_id. */
export interface IncidentFields {
  readonly short_description?: string;
  readonly description?: string;
  readonly assignment_group?: string;
  readonly impact?: '1' | '2' | '3';
  readonly urgency?: '1' | '2' | '3';
  readonly state?: string;
  /** Appended to the ticket's journal; never replaced. */
  readonly work_notes?: string;
  readonly close_code?: string;
  readonly close_notes?: string;
  readonly correlation_id?: string;
  readonly correlation_display?: string;
}

/** The fields that {@link Incident} is made of. */
export const INCIDENT_FIELDS = 'sys_id,number,state,correlation_id,correlation_display,sys_created_on';
export const SYS_ID = /^[0-9a-f]{32}$/;

const incidentSchema = z
  .object({
    sys_id: z.string().regex(SYS_ID),
    number: z.string().regex(/^[\w-]{1,40}$/),
    state: z.string().max(40),
    correlation_id: z.string().default(''),
    correlation_display: z.string().default(''),
    sys_created_on: z.string().default(''),
  })
  .transform(
    (row): Incident => ({
      sysId: row.sys_id,
      number: row.number,
      state: row.state,
      correlationId: row.correlation_id,
      correlationDisplay: row.correlation_display,
      createdOn: row.sys_created_on,
    }),
  );

/** The answer that holds one incident. */
export const incidentAnswer = z.object({ result: incidentSchema }).transform((answer) => answer.result);

export const incidentList = z
  .object({ result: z.array(incidentSchema) })
  .transform((answer) => answer.result);

export const groupList = z
  .object({ result: z.array(z.object({ sys_id: z.string().regex(SYS_ID), name: z.string() })) })
  .transform((answer) => answer.result);

/**
 * A value for an encoded query. There is no escape for `^`, which begins the next condition, and a value that begins
 * with `javascript:` is run by the server: both are refused.
 *
 * @throws FerryError `bad_input`
 */
export function queryValue(value: string): string {
  if (value !== '' && !/[\^\p{Cc}]/u.test(value) && !/^\s*javascript:/i.test(value)) return value;
  throw new FerryError('bad_input', {
    userMessage: `“${plainText(value, 80)}” cannot be looked up in ServiceNow: it is empty, has a “^”, or begins with “javascript:”.`,
  });
}

/** @throws FerryError `internal` when the answer has another form */
export function parseAnswer<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw unknownAnswer(parsed.error);
}

/** What to throw when an answer cannot be what was asked for. */
export function unknownAnswer(cause?: unknown): FerryError {
  return new FerryError('internal', {
    userMessage:
      'ServiceNow answered in a form that FileFerry does not know. Its operator has to check that the account may read number, state and correlation id of incidents.',
    cause,
  });
}

/** Oldest first. Two created in the same second are told apart by number, so that everybody names the same first. */
export const byAge = (a: Incident, b: Incident): number =>
  a.createdOn.localeCompare(b.createdOn) || a.number.localeCompare(b.number);
