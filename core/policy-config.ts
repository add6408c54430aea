/** The shape of `fileferry.config.yaml`: what may be moved, where to, by whom, and who decides. */
import { z } from 'zod';
import { templateFault } from './file-name-template.ts';
import { standingSchema } from './person.ts';
import { channelRef } from './thread-ref.ts';
import { existingPolicySchema } from './transfer.ts';

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** The largest object that FileFerry moves: 5 TiB, in bytes. S3 itself allowed no more until 2025. */
export const LARGEST_OBJECT = 5 * 2 ** 40;

/** Bytes, as a number or as text such as `50 GB` or `512 MiB`. */
const byteSize = z.union([z.number().int().positive(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const match = /^\s*([\d.]+)\s*([KMGT]?i?B)\s*$/i.exec(value);
  const size = match ? Number(match[1]) * (UNITS[(match[2] ?? '').toUpperCase()] ?? Number.NaN) : Number.NaN;
  if (Number.isSafeInteger(Math.round(size)) && size > 0) return Math.round(size);
  context.addIssue({
    code: 'custom',
    message: `expected a size such as "50 GB" or "512 MiB", got "${value}"`,
  });
  return z.NEVER;
});

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected lower-case letters, digits, dots, dashes or underscores');

/** A person by `platform:tenant:user`, or by an email that the platform vouches for, written `email:…`. */
const member = z
  .string()
  .regex(
    /^((slack|teams):[^:\s]+:[^:\s]+|email:[^\s@]+@[^\s@]+)$/,
    'expected slack:TEAM:USER, teams:TENANT:USER or email:ADDRESS',
  );

/** Where a secret is kept: `env:NAME`, `file:/path` or `secretsmanager:NAME-OR-ARN`. Never the secret itself. */
const secretReference = z
  .string()
  .regex(
    /^(env:[A-Z][A-Z0-9_]*|file:\/.+|secretsmanager:.+)$/,
    'expected env:NAME, file:/path or secretsmanager:NAME',
  );

const folder = z
  .string()
  .regex(
    /^\/(?!.*(^|\/)\.\.(\/|$))[^\p{Cc}]*$/u,
    'expected an absolute path without ".." or control characters',
  );

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as "22:30"');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** From one time of day to another; over midnight when the end is the earlier one. */
const timeWindowSchema = z.strictObject({
  from: timeOfDay,
  to: timeOfDay,
  timeZone: z.string().refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC'),
});
export type TimeWindow = z.infer<typeof timeWindowSchema>;

const destinationSchema = z.strictObject({
  /** For people: what this destination is. */
  description: z.string().max(200).optional(),
  /** Other names by which people call it. */
  aliases: z.array(z.string().min(1).max(100)).default([]),
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535).default(21),
  /** `explicit`: AUTH TLS on the FTP port. `implicit`: TLS from the first byte. `none`: everything readable on the way. */
  tls: z.enum(['explicit', 'implicit', 'none']).default('explicit'),
  user: z.string().min(1),
  password: secretReference,
  /** Folder on the server under which every file lands; people may name paths below it only. */
  folder: folder.default('/'),
  /** What to do when the final name is taken. */
  existing: existingPolicySchema.default('refuse'),
  /** How many connections the server allows us at once. */
  maxConnections: z.number().int().min(1).max(64).default(4),
  /** Certificate authorities in PEM that are trusted instead of the public ones. */
  ca: secretReference.optional(),
  /** SHA-256 of the server's certificate; it is then trusted whoever signed it, and no other is. */
  fingerprint: z
    .string()
    .regex(
      /^(sha-?256[:\s]+)?([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i,
      'expected a SHA-256 fingerprint of 64 hex digits',
    )
    .optional(),
  /** The oldest TLS that is spoken. */
  minTls: z.enum(['1.2', '1.3']).optional(),
  /** Whether data connections go on with the control connection's TLS session, as most servers demand. */
  reuseTlsSession: z.boolean().optional(),
  /** Whether data goes to the address that the server names for it; else always to its own. */
  trustPasvAddress: z.boolean().optional(),
  /**
   * What is compared beside the size: `checksum`, where the server reckons one; `read-back` reads the file again
   * where it does not; `size` compares nothing more.
   */
  verify: z.enum(['size', 'checksum', 'read-back']).optional(),
  /** Most bytes a second to this destination, over all transfers of one worker. */
  bytesPerSecond: byteSize.optional(),
  /** When files may be sent; a transfer outside of it waits. */
  window: timeWindowSchema.optional(),
  /** Gives the file the S3 object's time of modification. */
  preserveTime: z.boolean().optional(),
  /** What temporary names end in, for servers whose readers go by it. */
  tempSuffix: z
    .string()
    .regex(/^\.[A-Za-z0-9._-]{1,20}$/, 'expected a dot and up to 20 letters or digits')
    .optional(),
  /** What file names become here, such as `{stem}_{date:YYYYMMDD}{ext}`; filled in when a transfer is proposed. */
  fileName: z
    .string()
    .max(200)
    .superRefine((template, context) => {
      const message = templateFault(template);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .optional(),
});
export type Destination = z.infer<typeof destinationSchema>;

const ruleSchema = z.strictObject({
  /** For tickets and refusals: why this rule exists. */
  description: z.string().max(200).optional(),
  /** Groups whose members may request. */
  request: z.array(z.string()).min(1),
  /** `bucket` or `bucket/prefix`; a prefix covers every key that begins with it. */
  from: z.array(z.string()).min(1),
  /** Destinations. */
  to: z.array(z.string()).min(1),
  /** Groups whose members may approve or reject; never the requester, whatever their groups. */
  approve: z.array(z.string()).min(1),
  /** Largest transfer under this rule. */
  maxBytes: byteSize.optional(),
});
export type Rule = z.infer<typeof ruleSchema>;

/** As much of the file as references need, whatever else is wrong with it. */
const references = z.looseObject({
  groups: z.record(z.string(), z.unknown()).optional().catch(undefined),
  buckets: z.record(z.string(), z.unknown()).optional().catch(undefined),
  destinations: z.record(z.string(), z.unknown()).optional().catch(undefined),
  rules: z.array(z.unknown()).catch([]),
});
const names = z.array(z.unknown()).catch([]);
const ruleReferences = z.looseObject({ request: names, approve: names, from: names, to: names });

/** Rules name only groups, buckets and destinations that exist. A part that is missing was reported already. */
function checkReferences(file: unknown, context: z.RefinementCtx): void {
  const { data } = references.safeParse(file);
  data?.rules.forEach((raw, index) => {
    const rule = ruleReferences.safeParse(raw).data;
    if (!rule) return;
    const sides = [
      { side: 'request', what: 'group', known: data.groups },
      { side: 'approve', what: 'group', known: data.groups },
      { side: 'from', what: 'bucket', known: data.buckets },
      { side: 'to', what: 'destination', known: data.destinations },
    ] as const;
    for (const { side, what, known } of sides) {
      rule[side].forEach((given, at) => {
        if (typeof given !== 'string' || !known) return;
        const name = side === 'from' ? (given.split('/', 1)[0] ?? '') : given;
        if (Object.hasOwn(known, name)) return;
        context.addIssue({
          code: 'custom',
          path: ['rules', index, side, at],
          message: `there is no ${what} "${name}"`,
        });
      });
    }
  });
}

export const policyConfigSchema = z
  .strictObject({
    groups: z.record(name, z.array(member)),
    /** Buckets that people may name. Anything else does not exist for FileFerry. */
    buckets: z.record(
      z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected an S3 bucket name'),
      z.strictObject({
        description: z.string().max(200).optional(),
        aliases: z.array(z.string().min(1).max(100)).default([]),
      }),
    ),
    destinations: z.record(name, destinationSchema),
    rules: z.array(ruleSchema).min(1),
    approval: z
      .strictObject({
        expiresAfterHours: z
          .number()
          .positive()
          .max(24 * 14)
          .default(24),
        /** Where requests from direct messages are approved; without it they are refused there. */
        channel: z
          .string()
          .refine(
            (text) => channelRef(text) !== undefined,
            'expected slack:TEAM:CHANNEL or teams:TENANT:19:…',
          )
          .optional(),
      })
      .default({ expiresAfterHours: 24 }),
    limits: z
      .strictObject({
        maxBytes: byteSize.default(LARGEST_OBJECT),
        maxObjects: z.number().int().positive().max(100_000).default(10_000),
      })
      .default({ maxBytes: LARGEST_OBJECT, maxObjects: 10_000 }),
    /** Which accounts may use FileFerry at all. */
    standings: z.array(standingSchema.extract(['member', 'guest', 'external'])).default(['member']),
    servicenow: z.strictObject({
      /** Assignment group of the requester's ticket. */
      userGroup: z.string().min(1),
      /** Assignment group of the audit ticket. */
      auditGroup: z.string().min(1),
    }),
  })
  // Asked also when other parts are wrong, so that all faults are named at once.
  .superRefine(checkReferences, { when: () => true });
export type PolicyConfig = z.infer<typeof policyConfigSchema>;
