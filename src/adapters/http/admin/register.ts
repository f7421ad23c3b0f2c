import { z } from 'zod';
import type { App } from '../app.js';
import { createSoon } from '../request-timeouts.js';
import { type AdminParts, readFacts } from './load-dashboard.js';
import { adminPage } from './page.js';
import { STYLE } from './style.js';

/** One page that needs no script; its numbers are as old as itself. */
export function registerAdmin(app: App, parts: AdminParts): void {
  const soon = createSoon(parts.clock);
  app.get(
    '/admin',
    { schema: { hide: true, querystring: z.strictObject({ refresh: z.literal('off').optional() }) } },
    async ({ query }, reply) => {
      const facts = await readFacts(parts, soon);
      return reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(adminPage(facts, query.refresh !== 'off'));
    },
  );
  app.get('/admin/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'private, max-age=3600').send(STYLE),
  );
}
