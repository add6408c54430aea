/** The shape of `fileferry.config.yaml`: what may be moved, where to, by whom, and who decides. */
import { z } from 'zod';
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
