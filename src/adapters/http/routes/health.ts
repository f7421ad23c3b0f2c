import { z } from 'zod';
import type { App } from '../app.js';
import type { ReadinessCheck } from '../http-ports.js';
import { MALFORMED, refused, UNAUTHORIZED } from '../response/problem.js';
import { health, problem, readiness } from '../response/schemas.js';

export interface HealthPorts {
  /** Checks every dependency; never rejects and takes a second at most. */
  readonly checkReadiness: () => Promise<readonly ReadinessCheck[]>;
  /** The metrics in the text format of Prometheus; undefined when the process keeps none. */
  readonly metricsText: (() => Promise<string>) | undefined;
}

const GET_HEALTH = {
  operationId: 'getHealth',
  tags: ['service'],
  security: [],
  summary: 'Whether the process runs',
  description: 'Checks nothing outside the process: to restart it does not repair an unavailable dependency.',
  response: { 200: health.describe('The process runs.'), ...MALFORMED },
};

const GET_READINESS = {
  operationId: 'getReadiness',
  tags: ['service'],
  security: [],
  summary: 'Whether the service can do its work',
  description: 'Checks each dependency and when a retention sweep last finished; takes a second at most.',
  response: {
    200: readiness.describe('Every check passed.'),
    ...MALFORMED,
    503: readiness.describe('At least one check failed; its detail says why.'),
  },
};

const GET_METRICS = {
  operationId: 'getMetrics',
  tags: ['service'],
  summary: 'Metrics in the text format of Prometheus',
  response: {
    200: { description: 'The metrics.', content: { 'text/plain': { schema: z.string() } } },
    ...MALFORMED,
    ...UNAUTHORIZED,
    404: problem.describe('The process keeps no metrics.'),
  },
};

export function healthRoutes(app: App, { checkReadiness, metricsText }: HealthPorts): void {
  app.get('/healthz', { schema: GET_HEALTH }, async () => ({ status: 'ok' as const }));

  app.get('/readyz', { schema: GET_READINESS }, async (_request, reply) => {
    const checks = await checkReadiness();
    const ready = checks.every(({ ok }) => ok);
    return reply.status(ready ? 200 : 503).send({ ready, checks: [...checks] });
  });

  app.get('/metrics', { schema: GET_METRICS }, async (_request, reply) => {
    if (metricsText === undefined) throw refused('not_found', 'this process keeps no metrics');
    const text = await metricsText();
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(text);
  });
}
