import { trace, type Tracer } from '@opentelemetry/api';
import type { Clock } from '../async/clock.js';
import { createMetrics, type Metrics } from './metrics.js';

/** What the decorators of this folder measure with. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Call it after `startTelemetry`; without that, everything measured goes nowhere and costs next to nothing. */
export function createTelemetry(clock: Clock): Telemetry {
  return { tracer: trace.getTracer('runtime-cleanup'), metrics: createMetrics(), clock };
}
