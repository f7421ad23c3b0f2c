import { z } from 'zod';
import type { RetentionSummary } from '../../../retention/retention-service.js';
import { API, type App } from '../app.js';
import type { HttpParts } from '../http-ports.js';
import { REFUSALS } from '../response/error-responses.js';
import { after, limit, plan } from '../schemas.js';
import { createPatient } from '../request-timeouts.js';
import { isoOrNull, isoText } from '../response/serialize.js';
import { holdBody } from './runtimes.js';

const all = z
  .enum(['true', 'false'])
  .default('false')
  .meta({ description: 'Also stopped records whose time has not come.' });

export function retentionRoutes(app: App, parts: HttpParts): void {
  const { retention } = parts;
  const patient = createPatient(parts);

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
      // The summary counts all records, so once is enough.
      const summary = query.after === undefined ? retention.summary() : null;
      const [page, counts] = await patient(Promise.all([retention.plan(filter), summary]));
      return {
        asOf: isoText(page.asOf),
        summary: counts === null ? null : summaryBody(counts),
        items: page.items.map((judgement) => ({
          ...judgement,
          stoppedSince: isoOrNull(judgement.stoppedSince),
          dueAt: isoOrNull(judgement.dueAt),
          hold: holdBody(judgement.hold),
        })),
        next: page.next,
      };
    },
  );
}

function summaryBody({ asOf: _asOf, lagMs, retentionMs, ...counts }: RetentionSummary) {
  return { ...counts, lagSeconds: lagMs / 1_000, retentionSeconds: retentionMs / 1_000 };
}
