/** Block Kit's rules as Slack's reference states them: the faults for which Slack answers `invalid_blocks`. */
import { z } from 'zod';

const length = (max: number) => z.string().min(1).max(max);

/** Mentions of everybody, and mark-up that was broken off by cutting. */
const wellFormedMrkdwn = (text: string): boolean =>
  text.isWellFormed() &&
  !/<!(channel|here|everyone)/.test(text) &&
  /^([^<>]|<(@[A-Z0-9]+|https?:[^<>|]*\|[^<>|]*)>)*$/u.test(text) &&
  !/&(?!amp;|lt;|gt;)/.test(text);

const plainText = (max: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: length(max).refine((text) => text.isWellFormed()),
    emoji: z.boolean().optional(),
  });
const mrkdwn = (max: number) =>
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: length(max).refine(wellFormedMrkdwn, 'broken or dangerous mrkdwn'),
    verbatim: z.boolean().optional(),
  });
const anyText = (max: number) => z.union([plainText(max), mrkdwn(max)]);

/** @see https://docs.slack.dev/reference/block-kit/block-elements/button-element */
const button = z.strictObject({
  type: z.literal('button'),
  action_id: length(255),
  text: plainText(75),
  value: z.string().max(2_000).optional(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(3_000)
    .optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: z
    .strictObject({
      title: plainText(100),
      text: plainText(300),
      confirm: plainText(30),
      deny: plainText(30),
      style: z.enum(['primary', 'danger']).optional(),
    })
    .optional(),
});

const block_id = length(255);

/** @see https://docs.slack.dev/reference/block-kit/blocks */
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), block_id, text: plainText(150) }),
  z
    .strictObject({
      type: z.literal('section'),
      block_id,
      text: anyText(3_000).optional(),
      fields: z.array(anyText(2_000)).min(1).max(10).optional(),
    })
    .refine(({ text, fields }) => text || fields, 'a section needs text or fields'),
  z.strictObject({ type: z.literal('context'), block_id, elements: z.array(anyText(2_000)).min(1).max(10) }),
  z.strictObject({
    type: z.literal('actions'),
    block_id,
    elements: z
      .array(button)
      .min(1)
      .max(25)
      .refine((all) => new Set(all.map((one) => one.action_id)).size === all.length, 'action_id twice'),
  }),
]);

const blocksSchema = z
  .array(block)
  .min(1)
  .max(50)
  .refine((all) => new Set(all.map((one) => one.block_id)).size === all.length, 'block_id twice');

/** All texts in a message's blocks, buttons' values aside. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + textLength(one), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, one]) => sum + (key === 'text' && typeof one === 'string' ? one.length : textLength(one)),
    0,
  );
}

/** What Slack would refuse these blocks for: its error code and the reasons, or undefined. */
export function faultsOfBlocks(
  blocks: unknown,
): { readonly error: 'invalid_blocks' | 'msg_blocks_too_long'; readonly reasons: string } | undefined {
  const parsed = blocksSchema.safeParse(blocks);
  if (!parsed.success) return { error: 'invalid_blocks', reasons: z.prettifyError(parsed.error) };
  const total = textLength(blocks);
  return total > 11_000 ? { error: 'msg_blocks_too_long', reasons: `${total} characters` } : undefined;
}
