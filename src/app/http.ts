import { createQueueDashboard } from '../adapters/bullmq/dashboard/queue-dashboard.js';
import { createHttpServer } from '../adapters/http/server.js';
import type { HttpServer, ReadinessCheck } from '../adapters/http/http-ports.js';
import { isLoopback } from '../config/http-address.js';
import { createHttpObserver } from '../telemetry/http-observer.js';
import type { Telemetry } from '../telemetry/metrics.js';
import type { Core } from './compose-core.js';
import { queueReport } from './connect/queue-store.js';
import type { Context } from './context.js';
import type { BreakerView } from './start-engines.js';
import type { ShutdownStack } from './shutdown-stack.js';

/** Facts of this process, which its environment does not tell. */
export interface ProcessFacts {
  readonly version: string;
  /** All metrics in the text format of Prometheus; undefined where no metrics are kept. */
  readonly metricsText: (() => Promise<string>) | undefined;
}

interface Parts {
  readonly core: Pick<Core, 'queries' | 'engines' | 'retention' | 'queues' | 'backend' | 'reopen'>;
  readonly checkReadiness: () => Promise<readonly ReadinessCheck[]>;
  readonly isBreakerOpen: BreakerView;
  readonly telemetry: Telemetry;
  readonly facts: ProcessFacts;
}

/** The HTTP server and the parts that it answers from; the caller calls `listen`. */
export function composeHttp({ config, clock, log }: Context, parts: Parts, closing: ShutdownStack): HttpServer {
  const { core, checkReadiness, isBreakerOpen, telemetry, facts } = parts;
  const { queries, engines, retention, queues, backend, reopen } = core;
  const board = createQueueDashboard({ backend, deadLetters: queues.deadLetters, clock, report: queueReport(log) });
  closing.add('queue dashboard', board.close);
  const server = createHttpServer(
    {
      records: queries,
      engines,
      isBreakerOpen,
      retention,
      reopen,
      queue: queues.producer,
      jobWaiter: queues.endings,
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
    { ...config.httpAddress, tokens: config.apiTokens, version: facts.version, isLoopback },
  );
  closing.add('HTTP server', server.close);
  return server;
}
