import {
  metrics as api,
  type Attributes,
  type Meter,
  type ObservableCallback,
  type ObservableGauge,
} from '@opentelemetry/api';
import type { ErrorCode } from '../domain/error-codes.js';
import { isOpSource } from '../domain/operation.js';

type LeaseAcquireOutcome = 'acquired' | 'busy' | 'failed';
type RemoveOutcome = 'gone' | 'still_there' | 'failed';

interface CleanupMeasure {
  readonly outcome: 'success' | 'failure';
  readonly errorCode: ErrorCode;
  /** As it arrived; a word that is no operation source is counted as `unknown`. */
  readonly opSource: string;
  readonly elapsedMs: number;
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
  /** The dependency is away, and jobs wait for it. */
  readonly away: boolean;
}

/** The instruments of the contract, section 8. No member throws. */
export interface Metrics {
  readonly cleanupConcluded: (measure: CleanupMeasure) => void;
  readonly leaseAsked: (elapsedMs: number, outcome: LeaseAcquireOutcome) => void;
  readonly removalAsked: (elapsedMs: number, outcome: RemoveOutcome) => void;
  /**
   * Asks `count` whenever the metrics are read, until the returned function is called. While `count` rejects, the
   * gauge stays at the last number it was told.
   */
  readonly watchQueue: (count: () => Promise<readonly QueueCount[]>) => () => void;
  readonly sweepEnqueued: (jobs: number) => void;
  readonly sweepEnded: (status: SweepEnding) => void;
  /** Asks for the lag, in milliseconds, as `watchQueue` asks for counts. */
  readonly watchRetentionLag: (lagMs: () => Promise<number>) => () => void;
  /** Asks for each dependency's state whenever the metrics are read, until the returned function is called. */
  readonly watchCircuits: (states: () => readonly CircuitState[]) => () => void;
  readonly requestAnswered: (measure: RequestMeasure) => void;
}

// From a hit in a local store up to the longest Docker timeout that makes sense.
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Call it after telemetry has started: instruments of a meter that was asked for earlier record nothing. */
export function createMetrics(meter: Meter = api.getMeter('runtime-cleanup')): Metrics {
  const inSeconds = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } });
  const outcomes = meter.createCounter('rtmanager.cleanup.outcomes', {
    description: 'Cleanup operations by how they ended',
    unit: '{operation}',
  });
  const cleanups = inSeconds('rtmanager.cleanup.duration', 'How long cleanup operations took');
  const leases = inSeconds('rtmanager.lease.acquire.duration', 'How long the lease store took to answer');
  const removals = inSeconds('rtmanager.docker.remove.duration', 'How long the engine took to remove a container');
  const jobs = meter.createObservableGauge('rtmanager.queue.jobs', {
    description: 'Jobs in the queue by state',
    unit: '{job}',
  });

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
  const circuits = meter.createObservableGauge('rtmanager.circuit.open', {
    description: '1 while jobs wait for a dependency that is away, 0 while it answers',
  });
  const requests = inSeconds('http.server.request.duration', 'How long HTTP requests took');

  return {
    sweepEnqueued: (count) => enqueued.add(count),
    sweepEnded: (status) => sweeps.add(1, { status }),
    watchRetentionLag: (lagMs) =>
      watched(lag, async (result) => {
        const ms = await lagMs().catch(() => undefined);
        if (ms !== undefined) result.observe(ms / 1_000);
      }),
    watchCircuits: (states) =>
      watched(circuits, (result) => {
        for (const { dependency, away } of states()) result.observe(away ? 1 : 0, { dependency });
      }),
    requestAnswered: ({ method, route, status, elapsedMs }) =>
      requests.record(elapsedMs / 1_000, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      }),
    cleanupConcluded: ({ outcome, errorCode, opSource, elapsedMs }) => {
      const attributes: Attributes = {
        outcome,
        error_code: errorCode,
        // Anybody may write anything into a job; each new word would be a new time series for ever.
        op_source: isOpSource(opSource) ? opSource : 'unknown',
      };
      outcomes.add(1, attributes);
      cleanups.record(elapsedMs / 1_000, attributes);
    },
    leaseAsked: (elapsedMs, outcome) => leases.record(elapsedMs / 1_000, { outcome }),
    removalAsked: (elapsedMs, outcome) => removals.record(elapsedMs / 1_000, { outcome }),
    watchQueue: (count) =>
      watched(jobs, async (result) => {
        const counts = await count().catch(() => []);
        for (const { queue, state, jobs } of counts) result.observe(jobs, { queue, state });
      }),
  };
}

/** Has the gauge observed whenever the metrics are read, until the returned function is called. */
function watched(gauge: ObservableGauge, observe: ObservableCallback): () => void {
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
}
