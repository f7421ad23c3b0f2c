import { createQueueDashboard } from '../adapters/bullmq/dashboard/queue-dashboard.js';
import type { QueueStore } from '../adapters/bullmq/store/queue-store.js';
import { createHttpServer } from '../adapters/http/server.js';
import type { HttpServer, ReadinessCheck } from '../adapters/http/http-ports.js';
import type { RecordQueries } from '../domain/pages.js';
import type { Retention } from '../retention/retention.js';
import { createHttpObserver } from '../telemetry/http-observer.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { ShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import { queueReport } from './connect/queue-store.js';
import type { Queues } from './connect/queue-clients.js';

/** What only the process knows. */
export interface ProcessFacts {
  readonly version: string;
  /** All metrics in the text format of Prometheus; undefined where none are kept. */
  readonly metricsText: (() => Promise<string>) | undefined;
}

interface Parts {
  readonly records: RecordQueries;
  readonly retention: Retention;
  readonly queues: Queues;
  readonly backend: Pick<QueueStore, 'queue'>;
  readonly checkReadiness: () => Promise<readonly ReadinessCheck[]>;
  readonly telemetry: Telemetry;
  readonly facts: ProcessFacts;
}

/** The HTTP server over everything that it answers from; `listen` is the caller's to call. */
export function composeHttp({ config, clock, log }: Context, parts: Parts, closing: ShutdownStack): HttpServer {
  const { records, retention, queues, backend, checkReadiness, telemetry, facts } = parts;
  const board = createQueueDashboard({ backend, deadLetters: queues.deadLetters, clock, report: queueReport(log) });
  closing.add('queue dashboard', board.close);
  const server = createHttpServer(
    {
      records,
      retention,
      queue: queues.producer,
      endings: queues.endings,
      jobs: queues.lookup,
      deadLetters: queues.deadLetters,
      schedule: queues.schedule,
      countJobs: queues.producer.counts,
      checkReadiness,
      metricsText: facts.metricsText,
      board: board.plugin,
      observer: createHttpObserver({ log, metrics: telemetry.metrics }),
      clock,
    },
    { ...config.httpAddress, tokens: config.apiTokens, version: facts.version },
  );
  closing.add('HTTP server', server.close);
  return server;
}
