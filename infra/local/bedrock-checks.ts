/** What Bedrock refuses in a Converse request, so that a test against the stand-in means something. */
import type { ConverseBody } from './bedrock.ts';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and what its models add. */
export function faultOfRequest({
  messages,
  system,
  toolConfig,
  inferenceConfig = {},
}: ConverseBody): string | undefined {
  if (messages.length === 0 || messages[0]?.role !== 'user')
    return 'A conversation must start with a user message.';
  if (messages.at(-1)?.role !== 'user') return 'A conversation must end with a user message.';
  if (Object.keys(inferenceConfig).some((name) => name !== 'maxTokens')) {
    return 'temperature and its like are deprecated for this model.';
  }
  for (const { text } of system) if (text?.trim() === '') return 'The text of a system block is blank.';
  const names = (toolConfig?.tools ?? []).flatMap(({ toolSpec }) => (toolSpec ? [toolSpec.name] : []));
  if (names.some((name) => !TOOL_NAME.test(name)) || new Set(names).size !== names.length) {
    return 'Names of tools must be unique and match [a-zA-Z0-9_-]+.';
  }
  for (const { toolSpec } of toolConfig?.tools ?? []) {
    if (toolSpec && toolSpec.inputSchema.json.type !== 'object')
      return `inputSchema of ${toolSpec.name} is no object.`;
  }
  for (const [index, { role, content }] of messages.entries()) {
    if (messages[index - 1]?.role === role) return 'Roles must alternate.';
    if (content.length === 0) return `messages.${index}: content is empty.`;
    if (content.some(({ text }) => text !== undefined && text.trim() === '')) return 'A text block is blank.';
    const asked = (messages[index - 1]?.content ?? []).flatMap(({ toolUse }) =>
      toolUse ? [toolUse.toolUseId] : [],
    );
    const answered = content.flatMap(({ toolResult }) => (toolResult ? [toolResult.toolUseId] : []));
    if (role === 'user' && asked.slice().sort().join() !== answered.slice().sort().join()) {
      return `messages.${index}: expected one toolResult for each of ${asked.join(', ') || 'no'} toolUse ids.`;
    }
    if (role === 'assistant' && answered.length > 0) return 'A toolResult can only be in a user message.';
  }
  return undefined;
}
