/** Metrics as lines on standard output in CloudWatch's embedded metric format, gathered for a second each. */
import { METRICS } from '../infra/schema/metrics.ts';

export type MetricName = keyof typeof METRICS.names;
/** Values in the units of `METRICS.units`. */
export type Measured = Readonly<Partial<Record<MetricName, number>>>;

export interface Metrics {
  add(measured: Measured): void;
  /** How long a call took, whether it failed or not. */
  time<T>(name: MetricName, call: () => Promise<T>): Promise<T>;
  /** Writes what was gathered. */
  flush(): void;
}

/** Values of one metric in one line, at most. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const MOST_VALUES = 100;
const GATHER_MS = 1_000;

/** For programs that people watch in a terminal, and for tests. */
export const NO_METRICS: Metrics = { add() {}, time: (_name, call) => call(), flush() {} };

/** @param options.write where lines go; standard output unless a test says otherwise */
export function createMetrics(options: {
  service: 'bot' | 'worker';
  now: () => number;
  write?: (line: string) => void;
}): Metrics {
  const { now, write = (line) => void process.stdout.write(line) } = options;
  const gathered = new Map<MetricName, number[]>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.size === 0) return;
    const names = [...gathered.keys()];
    const line = {
      _aws: {
        Timestamp: now(),
        CloudWatchMetrics: [
          {
            Namespace: METRICS.namespace,
            Dimensions: [[METRICS.dimension]],
            Metrics: names.map((name) => ({ Name: METRICS.names[name], Unit: METRICS.units[name] })),
          },
        ],
      },
      [METRICS.dimension]: options.service,
      ...Object.fromEntries(
        [...gathered].map(([name, values]) => [
          METRICS.names[name],
          values.length === 1 ? values[0] : values,
        ]),
      ),
    };
    gathered.clear();
    write(`${JSON.stringify(line)}\n`);
  }

  function add(measured: Measured): void {
    for (const [name, value] of Object.entries(measured) as [MetricName, number][]) {
      const values = gathered.get(name) ?? [];
      gathered.set(name, values);
      values.push(value);
      if (values.length === MOST_VALUES) flush();
    }
    // The process may end before: its service flushes when it stops.
    if (gathered.size > 0) timer ??= setTimeout(flush, GATHER_MS).unref();
  }

  return {
    add,
    async time(name, call) {
      const began = performance.now();
      try {
        return await call();
      } finally {
        add({ [name]: performance.now() - began });
      }
    },
    flush,
  };
}
