import type { FastifyPluginCallback } from 'fastify';
import type { Clock } from '../../async/clock.js';
import type { RecordQueries } from '../../domain/record-queries.js';
import type { DeadLetters } from '../../jobs/dead-letters.js';
import type { CleanupQueue, JobWaiter, JobLookup } from '../../jobs/ports.js';
import type { SweepSchedule } from '../../retention/ports.js';
import type { Retention } from '../../retention/retention-service.js';

/** One thing that the service needs to do its work. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, in one line. */
  readonly detail: string;
}

/** One answered request. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, not the path: it has a bounded number of values. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
}

/** Told what the server did; must not throw. */
export interface HttpObserver {
  readonly answered: (request: AnsweredRequest) => void;
  /** A request that ended in an error that is no answer of ours: a bug. */
  readonly failed: (request: Pick<AnsweredRequest, 'requestId' | 'method' | 'route'>, cause: unknown) => void;
}

/** How many jobs there are in some of the states. */
export type QueueCounts = Readonly<Record<'waiting' | 'delayed' | 'active', number>>;

/** Everything the API answers from. Members reject with `UnavailableError` in an outage. */
export interface HttpParts {
  readonly records: RecordQueries;
  readonly queue: CleanupQueue;
  readonly endings: JobWaiter;
  readonly jobs: JobLookup;
  readonly deadLetters: DeadLetters;
  readonly retention: Retention;
  readonly schedule: SweepSchedule;
  /** The jobs of the work queue by state. */
  readonly countJobs: () => Promise<QueueCounts>;
  /** Looks at every dependency; never rejects and takes a second at most. */
  readonly checkReadiness: () => Promise<readonly ReadinessCheck[]>;
  /** The metrics in the text format of Prometheus; undefined where none are kept. */
  readonly metricsText: (() => Promise<string>) | undefined;
  readonly board: BoardPlugin;
  readonly observer: HttpObserver;
  readonly clock: Clock;
}

/** What serves the queues' dashboard below the prefix it is registered with. */
export type BoardPlugin = FastifyPluginCallback<{ readonly prefix: string }>;

export interface HttpSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Empty: no token is asked for; then the host must be loopback. */
  readonly tokens: readonly string[];
  readonly version: string;
}

export interface HttpServer {
  /** Resolves to the port once requests are taken; rejects with a `ConfigurationError` when it cannot listen there. */
  readonly listen: () => Promise<number>;
  /** Takes no more requests, lets running ones end for a while, then ends them. Safe before `listen` and twice. */
  readonly close: () => Promise<void>;
}
