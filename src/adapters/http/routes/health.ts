import { z } from 'zod';
import type { App } from '../app.js';
import type { HttpParts } from '../http-ports.js';
import { refused } from '../response/problem.js';
import { MALFORMED, UNAUTHORIZED } from '../response/error-responses.js';
import { health, problem, readiness } from '../schemas.js';

export function healthRoutes(app: App, { checkReadiness, metricsText }: HttpParts): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['service'],
        security: [],
        summary: 'Whether the process lives',
        description: 'Looks at nothing outside the process: a dependency that is away is no reason to end it.',
        response: { 200: health.describe('It does.'), ...MALFORMED },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['service'],
        security: [],
        summary: 'Whether the service can do its work',
        description: 'Looks at each dependency, and at when a retention sweep last finished; takes a second at most.',
        response: {
          200: readiness.describe('Everything is well.'),
          ...MALFORMED,
          503: readiness.describe('Something is not; the checks say what.'),
        },
      },
    },
    async (_request, reply) => {
      const checks = await checkReadiness();
      const ready = checks.every(({ ok }) => ok);
      return reply.status(ready ? 200 : 503).send({ ready, checks: [...checks] });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['service'],
        summary: 'Metrics in the text format of Prometheus',
        response: {
          200: { description: 'The metrics.', content: { 'text/plain': { schema: z.string() } } },
          ...MALFORMED,
          ...UNAUTHORIZED,
          404: problem.describe('No metrics are kept.'),
        },
      },
    },
    async (_request, reply) => {
      if (metricsText === undefined) throw refused('not_found', 'this process keeps no metrics');
      const text = await metricsText();
      return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(text);
    },
  );
}
