import { context, metrics, trace, type Attributes } from '@opentelemetry/api';
import { metrics as sdkMetrics, node } from '@opentelemetry/sdk-node';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/async/clock.js';
import type { Log } from '../../../src/telemetry/logger.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import type { Telemetry } from '../../../src/telemetry/metrics.js';

export interface Point {
  readonly instrument: string;
  readonly unit: string;
  readonly attributes: Attributes;
  /** A gauge's or counter's value, or a histogram's sum. */
  readonly value: unknown;
}

/**
 * Telemetry by the real SDK, with exporters that keep spans and metrics in memory. It is registered for the whole process,
 * so it is stopped at the end of the test that calls this.
 */
export function recordTelemetry(clock: Clock) {
  const spans = new node.InMemorySpanExporter();
  const tracers = new node.NodeTracerProvider({ spanProcessors: [new node.SimpleSpanProcessor(spans)] });
  tracers.register();

  const exporter = new sdkMetrics.InMemoryMetricExporter(sdkMetrics.AggregationTemporality.CUMULATIVE);
  const meters = new sdkMetrics.MeterProvider({
    readers: [new sdkMetrics.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });

  onTestFinished(async () => {
    await tracers.shutdown();
    await meters.shutdown();
    for (const api of [trace, metrics, context]) api.disable();
  });

  const telemetry: Telemetry = {
    tracer: tracers.getTracer('test'),
    metrics: createMetrics(meters.getMeter('test')),
    clock,
  };
  return {
    telemetry,
    spans: () => spans.getFinishedSpans(),
    points: async (): Promise<readonly Point[]> => {
      exporter.reset();
      await meters.forceFlush();
      return exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap((scope) => scope.metrics)
        .flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({
            instrument: descriptor.name,
            unit: descriptor.unit,
            attributes,
            value: typeof value === 'object' && 'sum' in value ? value.sum : value,
          })),
        );
    },
  };
}

/** A log whose lines are kept as level, message and fields. */
export function recordLog() {
  const lines: [level: keyof Log, message: string, fields: object][] = [];
  const write =
    (level: keyof Log): Log[keyof Log] =>
    (fields, message) =>
      void lines.push([level, message, fields]);
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { log, lines };
}
