/** Spans of our own, and the trace's way over SQS; all of it does nothing unless `core/otel.ts` started tracing. */
import {
  type Attributes,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Runs work within a span; what it throws is noted on the span by its type, as its text may hold people's words. */
export function traced<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  kind: SpanKind = SpanKind.INTERNAL,
): Promise<T> {
  return trace.getTracer('fileferry').startActiveSpan(name, { attributes, kind }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'Error' });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The work as a part of the trace that asked for it, whenever and by whomever it is begun. */
export const inThisTrace = <T>(work: () => Promise<T>): (() => Promise<T>) =>
  context.bind(context.active(), work);

type MessageAttributes = Readonly<Record<string, { readonly StringValue?: string | undefined }>>;

/** Names of the message attributes in which a trace travels. https://www.w3.org/TR/trace-context/ */
export const TRACE_ATTRIBUTES = ['traceparent', 'tracestate'];

/** Runs work as a part of the trace in which the message was sent. */
export function tracedFrom<T>(
  carrier: MessageAttributes | undefined,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  const sender = propagation.extract(ROOT_CONTEXT, carrier ?? {}, {
    get: (from, key) => from[key]?.StringValue,
    keys: (from) => Object.keys(from),
  });
  return context.with(sender, () => traced(name, attributes, work, SpanKind.CONSUMER));
}

/** Sends off the spans that are still here. */
export async function flushTraces(): Promise<void> {
  const provider = trace.getTracerProvider();
  const real = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if ('forceFlush' in real && typeof real.forceFlush === 'function') await real.forceFlush();
}
