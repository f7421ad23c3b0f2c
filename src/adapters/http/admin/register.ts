/** The two pages for people: the overview at `/admin` and the queue dashboard below `BOARD_PATH`. */
import type { FastifyPluginCallback } from 'fastify';
import { z } from 'zod';
import { type App, BOARD_PATH } from '../app.js';
import { createWithinSecond } from '../request-timeouts.js';
import { BOARD_POLICY } from '../response/content-policy.js';
import { type DashboardPorts, loadDashboard } from './load-dashboard.js';
import { adminPage } from './page.js';
import { STYLE } from './style.js';

/** The overview needs no script. Its numbers are read once for each answer. */
export function registerOverview(app: App, ports: DashboardPorts): void {
  const withinSecond = createWithinSecond(ports.clock);
  app.get(
    '/admin',
    { schema: { hide: true, querystring: z.strictObject({ refresh: z.literal('off').optional() }) } },
    async ({ query }, reply) => {
      const dashboard = await loadDashboard(ports, withinSecond);
      return reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(adminPage(dashboard, { refreshes: query.refresh !== 'off' }));
    },
  );
  app.get('/admin/style.css', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'private, max-age=3600').send(STYLE),
  );
}

/** The library's dashboard is a Fastify plugin, so this type stands here, beside its one use, and not among the ports. */
export type BoardPlugin = FastifyPluginCallback<{ readonly prefix: string }>;

/**
 * The only changes that the dashboard allows: retry a job, run a delayed one now, remove a failed one. Its other commands
 * (empty, clean, pause or delete a queue; add or edit jobs; edit or remove the schedule) could lose an accepted job
 * without a result.
 */
const ALLOWED = new Set(
  ['retry/:queueStatus', ':jobId/retry', ':jobId/promote', ':jobId/clean'].map(
    (command) => `PUT ${BOARD_PATH}/api/queues/:queueName/${command}`,
  ),
);

const REFUSAL =
  'The dashboard does not allow this: a job could be lost without a result. "runtime-cleanup dead-letters purge" removes many dead letters.';

/** The dashboard's page links a font on another host, which `BOARD_POLICY` would not let it load. */
const FOREIGN_FONT = /<link[^>]+fonts\.googleapis\.com[^>]*>/g;

/**
 * Hides the buttons of commands that are refused. The buttons have icons and no names; a browser test fails when an
 * update of the library changes the icons.
 */
const BOARD_STYLE = `<style>
[class*="jobActions-"] > li:not(:has(.lucide-refresh-cw, .lucide-corner-up-left, .lucide-trash-2)),
[class*="jobActions-"]:not(:has(.lucide-refresh-cw)) > li:has(.lucide-trash-2),
[class*="queueActions-"] > li:not(:has(.lucide-refresh-cw)),
button:has(> .lucide-ellipsis-vertical),
[class*="groupPill"][title] { display: none !important; }
</style>`;

export async function registerBoard(app: App, board: BoardPlugin): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRequest', async ({ method, routeOptions: { url = '' } }, reply) => {
      reply.helmet({ contentSecurityPolicy: BOARD_POLICY });
      // The pattern of the route that the router found: one command can be written as several paths.
      if (method === 'GET' || method === 'HEAD' || ALLOWED.has(`${method} ${url}`)) return;
      // In the form that the dashboard's page shows.
      await reply.status(405).send({ error: REFUSAL });
    });
    scope.addHook('onSend', async (_request, reply, payload) =>
      typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
        ? payload.replaceAll(FOREIGN_FONT, '').replace('</head>', `${BOARD_STYLE}</head>`)
        : payload,
    );
    await scope.register(board, { prefix: BOARD_PATH });
  });
}
