/** One trace from the click on Approve over SQS to the FTP server's reply, seen by a tiny OTLP receiver. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { useHouse, waitFor } from '../support/house.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly service: unknown;
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const spans: Span[] = [];
let sink: Server | undefined;
let endpoint = '';

/** https://opentelemetry.io/docs/specs/otlp/#otlphttp */
async function startSink(): Promise<void> {
  sink = createServer(async (request, response) => {
    const { resourceSpans } = (await json(request)) as Export;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
      for (const one of scopeSpans) spans.push(...one.spans.map((span) => ({ ...span, service })));
    }
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
}
afterAll(() => sink?.close());

const settings = (service: string) => () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_SERVICE_NAME: service,
  OTEL_BSP_SCHEDULE_DELAY: '200',
});
const house = useHouse({ prepare: startSink, bot: settings('bot'), worker: settings('worker') });

it('a trace goes from the chat event over SQS to the FTP reply, and its id is in the log', async () => {
  const requested = await house.requestTransfer(
    'ana',
    'send s3://finance-exports/reports/2026/Q3/summary.xlsx to acme-ftp',
  );
  await house.approve('bob', requested);
  await house.settled(requested.transferId, 'completed', { withinMs: 60_000 });

  const ofTrace = (name: string, traceId: string, service: string) =>
    spans.some((span) => span.name === name && span.traceId === traceId && span.service === service);
  const run = await waitFor('the span of the run', () => spans.find(({ name }) => name === 'transfer'));
  for (const name of ['ftp login', 'ftp store', 'ftp rename']) {
    await waitFor(`the span ${name}`, () => ofTrace(name, run.traceId, 'worker'));
  }
  await waitFor('the chat event in the same trace', () => ofTrace('chat event', run.traceId, 'bot'));
  expect(house.logged('taken', { trace_id: run.traceId })).toMatchObject({
    transferId: requested.transferId,
  });
});
