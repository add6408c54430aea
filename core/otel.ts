/** Starts tracing before the program's own modules load (`node --import ./core/otel.ts …`); nothing without an endpoint. */
import { ownEnvironment } from './config.ts';

if (ownEnvironment().OTEL_EXPORTER_OTLP_ENDPOINT) {
  // Loaded only here: it takes half a second. Modules are instrumented as they load, by these hooks.
  const { register } = await import('import-in-the-middle/register-hooks.mjs');
  register();
  const [{ NodeSDK }, { OTLPTraceExporter }, http, aws, undici, pino] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/instrumentation-http'),
    import('@opentelemetry/instrumentation-aws-sdk'),
    import('@opentelemetry/instrumentation-undici'),
    import('@opentelemetry/instrumentation-pino'),
  ]);
  new NodeSDK({
    traceExporter: new OTLPTraceExporter(),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      // A span without a parent is one of the programs' endless looking around, which nobody follows.
      new http.HttpInstrumentation({ requireParentforOutgoingSpans: true }),
      new aws.AwsInstrumentation({ suppressInternalInstrumentation: true }),
      new undici.UndiciInstrumentation({ requireParentforSpans: true }),
      new pino.PinoInstrumentation({ disableLogSending: true }),
    ],
  }).start();
}
