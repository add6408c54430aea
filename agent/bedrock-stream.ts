/** Puts a Converse stream together again: whole blocks in order, or a fault when it broke or fell silent. */
import type { ContentBlock, ConverseStreamOutput } from '@aws-sdk/client-bedrock-runtime';
import { FerryError } from '../core/errors.ts';
import type { ModelAnswer, Usage } from './model.ts';

/** Most characters of one answer; far beyond any token limit, so that a runaway stream ends. */
const MAX_CHARACTERS = 400_000;

/** A block while it grows. */
interface Growing {
  text: string;
  tool?: { readonly toolUseId: string; readonly name: string };
  reasoning?: { text: string; signature: string | undefined; redacted: Uint8Array[] };
}

function finished(block: Growing, broken: Set<string>): ContentBlock[] {
  if (block.tool) {
    const { toolUseId, name } = block.tool;
    try {
      return [{ toolUse: { toolUseId, name, input: JSON.parse(block.text || '{}') } }];
    } catch {
      broken.add(toolUseId);
      return [{ toolUse: { toolUseId, name, input: {} } }];
    }
  }
  if (block.reasoning) {
    const { text, signature, redacted } = block.reasoning;
    if (redacted.length > 0) return [{ reasoningContent: { redactedContent: Buffer.concat(redacted) } }];
    return [{ reasoningContent: { reasoningText: { text, ...(signature ? { signature } : {}) } } }];
  }
  // The API refuses empty text when it comes back.
  return block.text.trim() === '' ? [] : [{ text: block.text }];
}

function grow(block: Growing, event: NonNullable<ConverseStreamOutput['contentBlockDelta']>): void {
  const { delta } = event;
  block.text += delta?.text ?? delta?.toolUse?.input ?? '';
  const thought = delta?.reasoningContent;
  if (!thought) return;
  block.reasoning ??= { text: '', signature: undefined, redacted: [] };
  block.reasoning.text += thought.text ?? '';
  if (thought.signature) block.reasoning.signature = (block.reasoning.signature ?? '') + thought.signature;
  if (thought.redactedContent) block.reasoning.redacted.push(thought.redactedContent);
}

/** A fault that arrives as an event in the middle of the stream. */
function faultOf(event: ConverseStreamOutput): unknown {
  return (
    event.throttlingException ??
    event.serviceUnavailableException ??
    event.modelStreamErrorException ??
    event.internalServerException ??
    event.validationException
  );
}

const cut = (what: string) =>
  new FerryError('unavailable', { retryable: true, userMessage: `The model's answer ${what}.` });

/**
 * @param options.onText told the text of the answer as far as it has come
 * @param options.watch aborted when nothing came for `idleMs`, which also closes the connection
 * @throws FerryError `timeout` after silence, `unavailable` for an answer that was cut; what the SDK throws
 */
export async function collectAnswer(
  stream: AsyncIterable<ConverseStreamOutput> | undefined,
  options: {
    idleMs: number;
    watch: AbortController;
    signal: AbortSignal;
    onText?: (text: string) => void;
  },
): Promise<Omit<ModelAnswer, 'modelId'>> {
  if (!stream) throw cut('had no content');
  const { idleMs, watch } = options;
  const silence = new FerryError('timeout', { retryable: true, userMessage: 'The model fell silent.' });
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => aborted.reject(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  const blocks = new Map<number, Growing>();
  let stopReason: string | undefined;
  let usage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let characters = 0;
  let said = '';
  let saying: number | undefined;
  const events = stream[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      timer = setTimeout(() => watch.abort(silence), idleMs);
      const { value: event, done } = await Promise.race([events.next(), aborted.promise]);
      clearTimeout(timer);
      if (done) break;
      const fault = faultOf(event);
      if (fault) throw fault;
      const index = event.contentBlockStart?.contentBlockIndex ?? event.contentBlockDelta?.contentBlockIndex;
      if (index !== undefined && !blocks.has(index)) blocks.set(index, { text: '' });
      const block = index === undefined ? undefined : blocks.get(index);
      const tool = event.contentBlockStart?.start?.toolUse;
      if (block && tool?.toolUseId && tool.name) {
        block.tool = { toolUseId: tool.toolUseId, name: tool.name };
      }
      if (block && event.contentBlockDelta) {
        const before = block.text.length;
        grow(block, event.contentBlockDelta);
        const more = event.contentBlockDelta.delta?.text;
        if (more && options.onText) {
          said += saying !== undefined && saying !== index ? `\n${more}` : more;
          saying = index;
          options.onText(said);
        }
        characters += block.text.length - before;
        if (characters > MAX_CHARACTERS) throw cut('has no end');
      }
      stopReason = event.messageStop?.stopReason ?? stopReason;
      const counted = event.metadata?.usage;
      if (counted) {
        usage = {
          input: counted.inputTokens ?? 0,
          output: counted.outputTokens ?? 0,
          cacheRead: counted.cacheReadInputTokens ?? 0,
          cacheWrite: counted.cacheWriteInputTokens ?? 0,
        };
      }
    }
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    // Not awaited: a stream that hangs would hang here too.
    void events.return?.().catch(() => {});
  }
  if (stopReason === undefined) throw cut('was cut off');
  const broken = new Set<string>();
  const content = [...blocks.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, block]) => finished(block, broken));
  return { content, stopReason, usage, broken };
}
