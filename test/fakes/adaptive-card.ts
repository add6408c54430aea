/** Adaptive Card 1.5 as far as Teams shows it, strictly: what it would drop, mangle or refuse is a fault. */
import { z } from 'zod';

const text = z
  .string()
  .min(1)
  .refine((value) => value.isWellFormed(), 'a lone surrogate')
  .refine((value) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(value), 'control or bidi characters');

const spacing = z.enum(['None', 'Small', 'Medium']).optional();

/** @see https://adaptivecards.io/explorer/TextRun.html */
const textRun = z.strictObject({
  type: z.literal('TextRun'),
  text,
  weight: z.literal('Bolder').optional(),
  fontType: z.literal('Monospace').optional(),
  isSubtle: z.boolean().optional(),
  size: z.literal('Small').optional(),
  color: z.literal('Accent').optional(),
  selectAction: z
    .strictObject({ type: z.literal('Action.OpenUrl'), url: z.url({ protocol: /^https?$/ }) })
    .optional(),
});
const richText = z.strictObject({
  type: z.literal('RichTextBlock'),
  spacing,
  inlines: z.array(textRun).min(1),
});
const heading = z.strictObject({
  type: z.literal('TextBlock'),
  style: z.literal('heading'),
  size: z.literal('Large'),
  weight: z.literal('Bolder'),
  wrap: z.literal(true),
  // Every sign that markdown or mention could begin with is escaped.
  text: text.refine((value) => /^([^\\`*_[\]()~#|!<>]|\\.)*$/su.test(value), 'markdown that is not escaped'),
});

const style = z.enum(['positive', 'destructive']).optional();
const title = text.max(75);

/** @see https://adaptivecards.io/explorer/Action.Execute.html */
const execute = z.strictObject({
  type: z.literal('Action.Execute'),
  title,
  tooltip: text.max(75).optional(),
  verb: z.string().min(1),
  data: z.strictObject({ value: z.string(), thread: z.string().optional() }),
  style,
});
const showCard = z.strictObject({
  type: z.literal('Action.ShowCard'),
  title,
  tooltip: text.max(75).optional(),
  style,
  card: z.strictObject({
    type: z.literal('AdaptiveCard'),
    body: z.array(richText),
    actions: z.tuple([execute]),
  }),
});
/** @see https://adaptivecards.io/explorer/Action.OpenUrl.html */
const openUrl = z.strictObject({
  type: z.literal('Action.OpenUrl'),
  title,
  url: z.url({ protocol: /^https?$/ }),
  style,
});
const actionSet = z.strictObject({
  type: z.literal('ActionSet'),
  spacing,
  // Teams hides what comes after the sixth behind a menu.
  actions: z
    .array(z.discriminatedUnion('type', [execute, showCard, openUrl]))
    .min(1)
    .max(6),
});

const cardSchema = z.strictObject({
  type: z.literal('AdaptiveCard'),
  $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
  version: z.literal('1.5'),
  fallbackText: text,
  body: z.array(z.discriminatedUnion('type', [richText, heading, actionSet])).min(1),
  msteams: z.strictObject({ width: z.literal('Full') }),
});

/** What is wrong with a card, or undefined. */
export function faultsOfCard(card: unknown): string | undefined {
  const parsed = cardSchema.safeParse(card);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const bytes = Buffer.byteLength(JSON.stringify(card));
  return bytes > 28_000 ? `${bytes} bytes` : undefined;
}

export interface CardButton {
  readonly title: string;
  readonly verb: string;
  readonly value: string;
  readonly thread?: string | undefined;
}

const buttonSchema = z.object({
  type: z.literal('Action.Execute'),
  title: z.string(),
  verb: z.string(),
  data: z.object({ value: z.string(), thread: z.string().optional() }),
});

/** Every button in a card, those that unfold included. */
export function buttonsIn(node: unknown): CardButton[] {
  if (Array.isArray(node)) return node.flatMap(buttonsIn);
  if (node === null || typeof node !== 'object') return [];
  const button = buttonSchema.safeParse(node).data;
  if (button) return [{ title: button.title, verb: button.verb, ...button.data }];
  return Object.values(node).flatMap(buttonsIn);
}

/** The card's lines as a person reads them. */
export function linesIn(card: unknown): string[] {
  const body =
    z.object({ body: z.array(z.looseObject({ type: z.string() })) }).safeParse(card).data?.body ?? [];
  return body.flatMap((block) => {
    if (block.type === 'TextBlock') return [String(block.text).replace(/\\(.)/gs, '$1')];
    if (block.type === 'RichTextBlock')
      return [(block.inlines as { text: string }[]).map((run) => run.text).join('')];
    return [(block.actions as { title: string }[]).map((action) => `[ ${action.title} ]`).join('  ')];
  });
}
