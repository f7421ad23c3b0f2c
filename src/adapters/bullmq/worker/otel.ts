import { BullMQOtel } from 'bullmq-otel';
import type { Telemetry } from 'bullmq';

/** Spans and metrics of the queue itself, through whatever OpenTelemetry provider the process has registered. */
export function createQueueTelemetry(): Telemetry {
  return new BullMQOtel({ tracerName: 'runtime-cleanup', meterName: 'runtime-cleanup', enableMetrics: true });
}
