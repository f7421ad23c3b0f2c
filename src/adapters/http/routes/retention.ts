import { z } from 'zod';
import { API, type App } from '../app.js';
import type { HttpParts } from '../ports.js';
import { REFUSALS } from '../refusals.js';
import { after, limit, plan } from '../schemas.js';
import { createSoon } from '../soon.js';
import { holdBody } from './runtimes.js';

const all = z
  .enum(['true', 'false'])
  .default('false')
  .meta({ description: 'Also stopped records whose time has not come.' });

export function retentionRoutes(app: App, { retention, clock }: HttpParts): void {
  const soon = createSoon(clock);

  app.get(
    `${API}/retention/plan`,
    {
      schema: {
        operationId: 'getRetentionPlan',
        tags: ['retention'],
        summary: 'What the next retention sweep would remove, and why',
        description: 'Stopped records past their retention, oldest first, judged as the sweep itself judges them.',
        querystring: z.strictObject({ all, after, limit }),
        response: { 200: plan.describe('One page, with a summary of the whole.'), ...REFUSALS },
      },
    },
    async ({ query }) => {
      const filter = { includeNotDue: query.all === 'true', after: query.after, limit: query.limit };
      const [page, summary] = await soon(Promise.all([retention.plan(filter), retention.summary()]));
      const { running, stopped, removed, due, held, deadLetters, lagMs, retentionMs, refusal } = summary;
      return {
        asOf: page.asOf.toISOString(),
        summary: {
          ...{ running, stopped, removed, due, held, deadLetters, refusal },
          lagSeconds: lagMs / 1_000,
          retentionSeconds: retentionMs / 1_000,
        },
        items: page.items.map((judgement) => ({
          ...judgement,
          stoppedSince: judgement.stoppedSince?.toISOString() ?? null,
          dueAt: judgement.dueAt?.toISOString() ?? null,
          hold: holdBody(judgement.hold),
        })),
        next: page.next,
      };
    },
  );
}
