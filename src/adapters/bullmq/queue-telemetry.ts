/** A file of its own because producers and workers share it, and only the process should load `bullmq-otel`, not each test. */
import { BullMQOtel } from 'bullmq-otel';
import type { Telemetry } from 'bullmq';

/** Spans and metrics of the queue itself, through the OpenTelemetry provider that the process has registered. */
export function createQueueTelemetry(): Telemetry {
  return new BullMQOtel({ tracerName: 'runtime-cleanup', meterName: 'runtime-cleanup', enableMetrics: true });
}
