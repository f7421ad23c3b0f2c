import { z } from 'zod';
import type { Retention } from '../../../retention/retention-service.js';
import { API, type App } from '../app.js';
import { after, limit } from '../request/parameters.js';
import { createWhileStoresAnswer, type StoresProbe } from '../request-timeouts.js';
import { REFUSALS } from '../response/problem.js';
import { plan } from '../response/schemas.js';
import { planBody } from '../response/serialize.js';

export interface RetentionPorts extends StoresProbe {
  readonly retention: Pick<Retention, 'plan' | 'summary'>;
}

const all = z
  .enum(['true', 'false'])
  .default('false')
  .meta({ description: 'Also stopped records that are not due yet.' });

const GET_RETENTION_PLAN = {
  operationId: 'getRetentionPlan',
  tags: ['retention'],
  summary: 'What the next retention sweep would remove, and why',
  description: 'Stopped records past their retention, oldest first, judged by the same rules as the sweep.',
  querystring: z.strictObject({ all, after, limit }),
  response: { 200: plan.describe('One page, with a summary of all records.'), ...REFUSALS },
};

export function retentionRoutes(app: App, ports: RetentionPorts): void {
  const { retention } = ports;
  const whileStoresAnswer = createWhileStoresAnswer(ports);

  app.get(`${API}/retention/plan`, { schema: GET_RETENTION_PLAN }, async ({ query }) => {
    const filter = { includeNotDue: query.all === 'true', after: query.after, limit: query.limit };
    // The summary counts all records, so only the first page asks for it.
    const asked = query.after === undefined ? retention.summary() : null;
    const [page, summary] = await whileStoresAnswer(Promise.all([retention.plan(filter), asked]));
    return { ...planBody(page.asOf, summary, page.items), next: page.next };
  });
}
