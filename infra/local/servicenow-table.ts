/** The local ServiceNow's tables: records, the rules of the base system that refuse or compute, and encoded queries. */
import { randomBytes } from 'node:crypto';

export type Row = Record<string, string>;

/** A refusal, in ServiceNow's error form. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly detail: string | null;
}
export const isRefusal = (value: Row | Refusal): value is Refusal => typeof value.status === 'number';

export interface Tables {
  readonly incident: Row[];
  readonly sys_user_group: Row[];
  readonly sys_journal_field: Row[];
}
export type TableName = keyof Tables;

/** The incident's columns that can be written, with the length at which the base system cuts them. */
const WRITABLE: Readonly<Record<string, number>> = {
  short_description: 160,
  description: 4_000,
  assignment_group: 32,
  impact: 40,
  urgency: 40,
  state: 40,
  close_code: 40,
  close_notes: 1_000,
  correlation_id: 100,
  correlation_display: 100,
};
const INCIDENT_COLUMNS = [
  'sys_id',
  'number',
  'sys_created_on',
  'sys_created_by',
  'sys_updated_on',
  'sys_mod_count',
  'active',
  'priority',
  'work_notes',
  ...Object.keys(WRITABLE),
];

export const LABELS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  state: { '1': 'New', '2': 'In Progress', '3': 'On Hold', '6': 'Resolved', '7': 'Closed', '8': 'Canceled' },
  priority: {
    '1': '1 - Critical',
    '2': '2 - High',
    '3': '3 - Moderate',
    '4': '4 - Low',
    '5': '5 - Planning',
  },
  impact: { '1': '1 - High', '2': '2 - Medium', '3': '3 - Low' },
  urgency: { '1': '1 - High', '2': '2 - Medium', '3': '3 - Low' },
};

export const newSysId = (): string => randomBytes(16).toString('hex');

/** ServiceNow's date and time: UTC, whole seconds. */
const dateTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** Impact and urgency give the priority, by the base system's data lookup. */
function priorityOf(impact: string | undefined, urgency: string | undefined): string {
  const sum = Number(impact) + Number(urgency);
  return Number.isNaN(sum) ? '5' : String(Math.min(5, Math.max(1, sum - 1)));
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

/**
 * Inserts or changes an incident as the base system would.
 *
 * @param row the incident to change, or undefined for a new one
 * @param byName whether references are given by name (`sysparm_input_display_value`)
 */
export function writeIncident(
  tables: Tables,
  row: Row | undefined,
  input: Readonly<Record<string, unknown>>,
  byName: boolean,
  who: { readonly user: string; readonly now: number },
): Row | Refusal {
  const at = dateTime(who.now);
  const next: Row = row ? { ...row } : newIncident(tables, who.user, at);
  for (const [column, longest] of Object.entries(WRITABLE)) {
    // Unknown columns are ignored, as the Table API does.
    if (column in input) next[column] = text(input[column]).slice(0, longest);
  }
  if ('assignment_group' in input) {
    const given = text(input.assignment_group);
    const group = tables.sys_user_group.find((one) => one.sys_id === given || (byName && one.name === given));
    next.assignment_group = group?.sys_id ?? '';
  }
  next.priority = priorityOf(next.impact, next.urgency);
  next.active = next.state === '7' || next.state === '8' ? 'false' : 'true';
  next.sys_updated_on = at;
  next.sys_mod_count = String(Number(next.sys_mod_count ?? '-1') + 1);

  const closing = next.state === '6' || next.state === '7';
  if (closing && (next.close_code === '' || next.close_notes === '')) {
    return {
      status: 403,
      message: 'Operation Failed',
      detail: 'Data Policy Exception: Resolution code, Resolution notes are mandatory',
    };
  }
  if (row) Object.assign(row, next);
  else tables.incident.push(next);
  const note = text(input.work_notes);
  if (note !== '') {
    tables.sys_journal_field.push({
      sys_id: newSysId(),
      name: 'incident',
      element: 'work_notes',
      element_id: next.sys_id ?? '',
      value: note,
      sys_created_on: at,
      sys_created_by: who.user,
    });
  }
  return row ?? next;
}

function newIncident(tables: Tables, user: string, at: string): Row {
  return {
    ...Object.fromEntries(INCIDENT_COLUMNS.map((column) => [column, ''])),
    sys_id: newSysId(),
    number: nextNumber(tables),
    sys_created_on: at,
    sys_created_by: user,
    sys_mod_count: '-1',
    state: '1',
    impact: '3',
    urgency: '3',
  };
}

function nextNumber(tables: Tables): string {
  const highest = Math.max(10_000, ...tables.incident.map((row) => Number(row.number?.slice(3))));
  return `INC${String(highest + 1).padStart(7, '0')}`;
}

type Condition = (row: Row) => boolean;

/** `FIELD OPERATOR VALUE` without spaces; the value goes on to the end. */
const CONDITION = /^([a-z_]+)(!=|=|STARTSWITH|LIKE|IN|ISNOTEMPTY|ISEMPTY)(.*)$/s;

function condition(term: string, columns: ReadonlySet<string>): Condition | undefined {
  const [, column = '', operator, value = ''] = CONDITION.exec(term) ?? [];
  // An instance drops what it cannot read, unless `glide.invalid_query.returns_no_rows` is set.
  if (!columns.has(column)) return undefined;
  const wanted = value.toLowerCase();
  const has = (row: Row) => (row[column] ?? '').toLowerCase();
  switch (operator) {
    case '=':
      return (row) => has(row) === wanted;
    case '!=':
      return (row) => has(row) !== wanted;
    case 'STARTSWITH':
      return (row) => has(row).startsWith(wanted);
    case 'LIKE':
      return (row) => has(row).includes(wanted);
    case 'IN':
      return (row) => wanted.split(',').includes(has(row));
    case 'ISEMPTY':
      return (row) => has(row) === '';
    default:
      return (row) => has(row) !== '';
  }
}

/**
 * The rows that an encoded query selects: `^` and, `^OR` or with the condition before, `^NQ` or with all before,
 * `^ORDERBY` and `^ORDERBYDESC`.
 */
export function select(rows: readonly Row[], query: string): Row[] {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  const orders: { column: string; sign: 1 | -1 }[] = [];
  const alternatives = query.split('^NQ').map((part) => {
    const groups: Condition[][] = [];
    for (const term of part.split('^')) {
      const order = /^ORDERBY(DESC)?([a-z_]+)$/.exec(term);
      if (order) {
        orders.push({ column: order[2] ?? '', sign: order[1] ? -1 : 1 });
        continue;
      }
      const or = term.startsWith('OR');
      const parsed = condition(or ? term.slice(2) : term, columns);
      if (!parsed) continue;
      const last = groups.at(-1);
      if (or && last) last.push(parsed);
      else groups.push([parsed]);
    }
    return (row: Row) => groups.every((group) => group.some((matches) => matches(row)));
  });
  return rows
    .filter((row) => alternatives.some((matches) => matches(row)))
    .sort((a, b) => {
      for (const { column, sign } of orders) {
        const compared = (a[column] ?? '').localeCompare(b[column] ?? '');
        if (compared !== 0) return compared * sign;
      }
      return 0;
    });
}

/** A row as the Table API sends it. */
export function render(tables: Tables, table: TableName, row: Row, parameters: URLSearchParams): object {
  const wanted = parameters.get('sysparm_fields')?.split(',') ?? Object.keys(row);
  const display = parameters.get('sysparm_display_value') ?? 'false';
  const withLink = parameters.get('sysparm_exclude_reference_link') !== 'true';
  const columns = wanted.filter((column) => column in row);
  return Object.fromEntries(
    columns.map((column) => {
      const value = row[column] ?? '';
      const shown = displayValue(tables, table, column, row);
      if (column === 'assignment_group' && value !== '' && (withLink || display === 'all')) {
        const link = `/api/now/table/sys_user_group/${value}`;
        if (display === 'all') return [column, { display_value: shown, value, ...(withLink && { link }) }];
        return [column, display === 'true' ? { display_value: shown, link } : { value, link }];
      }
      if (display === 'all') return [column, { display_value: shown, value }];
      return [column, display === 'true' ? shown : value];
    }),
  );
}

function displayValue(tables: Tables, table: TableName, column: string, row: Row): string {
  const value = row[column] ?? '';
  if (table !== 'incident') return value;
  if (column === 'assignment_group')
    return tables.sys_user_group.find((group) => group.sys_id === value)?.name ?? '';
  if (column === 'work_notes') {
    return notesOf(tables, row)
      .reverse()
      .map((entry) => `${entry.sys_created_on} - ${entry.sys_created_by} (Work notes)\n${entry.value}\n\n`)
      .join('');
  }
  return LABELS[column]?.[value] ?? value;
}

/** The incident's journal, the oldest entry first. */
export function notesOf(tables: Tables, incident: Row): Row[] {
  return tables.sys_journal_field.filter((entry) => entry.element_id === incident.sys_id);
}
