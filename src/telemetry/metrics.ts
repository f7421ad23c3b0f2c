import {
  metrics as api,
  trace,
  type Attributes,
  type Histogram,
  type Meter,
  type ObservableCallback,
  type ObservableGauge,
  type Tracer,
} from '@opentelemetry/api';
import type { Clock } from '../async/clock.js';
import type { ErrorCode } from '../domain/error-codes.js';
import { isOpSource, type Removal } from '../domain/operation.js';

type LeaseAcquireOutcome = 'acquired' | 'busy' | 'failed';
type RemoveOutcome = 'gone' | 'still_there' | 'failed';

interface CleanupMeasure {
  readonly outcome: 'success' | 'failure';
  readonly errorCode: ErrorCode;
  /** As it arrived; a word that is not an operation source is counted as `unknown`. */
  readonly opSource: string;
  readonly elapsedMs: number;
  readonly removal: Removal | '';
  readonly engine: string;
}

type SweepEnding = 'done' | 'refused' | 'busy';

interface RequestMeasure {
  readonly method: string;
  /** The route's pattern. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
}

interface QueueCount {
  readonly queue: string;
  readonly state: string;
  readonly jobs: number;
}

interface CircuitState {
  readonly dependency: string;
  /** The dependency is unavailable, and jobs wait for it. */
  readonly isOpen: boolean;
  /** Given for one engine among several. */
  readonly engine?: string;
}

export interface CleanupMetrics {
  readonly recordCleanup: (measure: CleanupMeasure) => void;
  readonly recordLeaseAcquire: (elapsedMs: number, outcome: LeaseAcquireOutcome) => void;
  readonly recordRemoval: (elapsedMs: number, outcome: RemoveOutcome) => void;
}

/** Each `observe` function asks whenever the metrics are read, until the function that it returned is called. */
interface RetentionMetrics {
  readonly countEnqueued: (jobs: number) => void;
  readonly countSweep: (status: SweepEnding) => void;
  /** Asks for the lag in milliseconds; while that rejects, the gauge has no new value. */
  readonly observeRetentionLag: (lagMs: () => Promise<number>) => () => void;
}

interface ServiceMetrics {
  /** While `count` rejects, the gauge stays at its last numbers. */
  readonly observeQueue: (count: () => Promise<readonly QueueCount[]>) => () => void;
  readonly observeCircuits: (states: () => readonly CircuitState[]) => () => void;
  readonly recordRequest: (measure: RequestMeasure) => void;
}

/** The instruments of the contract, section 8. No member throws. Each caller takes only the members that it needs. */
export type Metrics = CleanupMetrics & RetentionMetrics & ServiceMetrics;

/** Call it after telemetry has started: instruments of a meter that was asked for earlier record nothing. */
export function createMetrics(meter: Meter = api.getMeter('runtime-cleanup')): Metrics {
  return { ...cleanupMetrics(meter), ...retentionMetrics(meter), ...serviceMetrics(meter) };
}

function cleanupMetrics(meter: Meter): CleanupMetrics {
  const outcomes = meter.createCounter('rtmanager.cleanup.outcomes', {
    description: 'Cleanup operations by how they ended',
    unit: '{operation}',
  });
  const cleanups = inSeconds(meter, 'rtmanager.cleanup.duration', 'How long cleanup operations took');
  const leases = inSeconds(meter, 'rtmanager.lease.acquire.duration', 'How long the lease store took to answer');
  const removalKinds = meter.createCounter('rtmanager.cleanup.removals', {
    description: 'Successful cleanups by what they did to the container',
    unit: '{container}',
  });
  const removals = inSeconds(
    meter,
    'rtmanager.docker.remove.duration',
    'How long the engine took to remove a container',
  );
  return {
    recordCleanup: ({ outcome, errorCode, opSource, elapsedMs, removal, engine }) => {
      const attributes: Attributes = {
        outcome,
        error_code: errorCode,
        // Any client may write any word into a job; each new word would be a new time series for ever.
        op_source: isOpSource(opSource) ? opSource : 'unknown',
      };
      outcomes.add(1, attributes);
      if (removal !== '') removalKinds.add(1, { removal, engine });
      cleanups.record(elapsedMs / 1_000, attributes);
    },
    recordLeaseAcquire: (elapsedMs, outcome) => leases.record(elapsedMs / 1_000, { outcome }),
    recordRemoval: (elapsedMs, outcome) => removals.record(elapsedMs / 1_000, { outcome }),
  };
}

function retentionMetrics(meter: Meter): RetentionMetrics {
  const enqueued = meter.createCounter('rtmanager.retention.enqueued', {
    description: 'Cleanups that retention sweeps put into the queue',
    unit: '{job}',
  });
  const sweeps = meter.createCounter('rtmanager.retention.sweeps', {
    description: 'Retention sweeps by how they ended; refused: more was due than the allowed share',
    unit: '{sweep}',
  });
  const lag = meter.createObservableGauge('rtmanager.retention.lag', {
    description: 'How long the oldest stopped container that retention may take is past due',
    unit: 's',
  });
  return {
    countEnqueued: (jobs) => enqueued.add(jobs),
    countSweep: (status) => sweeps.add(1, { status }),
    observeRetentionLag: (lagMs) =>
      observed(lag, async (result) => {
        const ms = await lagMs().catch(() => undefined);
        if (ms !== undefined) result.observe(ms / 1_000);
      }),
  };
}

function serviceMetrics(meter: Meter): ServiceMetrics {
  const jobs = meter.createObservableGauge('rtmanager.queue.jobs', {
    description: 'Jobs in the queue by state',
    unit: '{job}',
  });
  const circuits = meter.createObservableGauge('rtmanager.circuit.open', {
    description: '1 while jobs wait for an unavailable dependency, 0 while it answers',
  });
  const requests = inSeconds(meter, 'http.server.request.duration', 'How long HTTP requests took');
  return {
    observeQueue: (count) =>
      observed(jobs, async (result) => {
        const counts = await count().catch(() => []);
        for (const { queue, state, jobs } of counts) result.observe(jobs, { queue, state });
      }),
    observeCircuits: (states) =>
      observed(circuits, (result) => {
        for (const { isOpen, ...labels } of states()) result.observe(isOpen ? 1 : 0, { ...labels });
      }),
    recordRequest: ({ method, route, status, elapsedMs }) =>
      requests.record(elapsedMs / 1_000, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      }),
  };
}

// From a hit in a local store up to the longest Docker timeout that makes sense.
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function inSeconds(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } });
}

/** Has the gauge observed whenever the metrics are read, until the returned function is called. */
function observed(gauge: ObservableGauge, observe: ObservableCallback): () => void {
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
}

/** What the parts of the program are measured and traced with. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Call it after `startTelemetry`; without that, all that is measured is dropped, at next to no cost. */
export function createTelemetry(clock: Clock): Telemetry {
  return { tracer: trace.getTracer('runtime-cleanup'), metrics: createMetrics(), clock };
}
