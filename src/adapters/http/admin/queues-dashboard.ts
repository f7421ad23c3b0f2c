import type { App } from '../app.js';
import { BOARD_POLICY } from '../response/content-policy.js';
import type { BoardPlugin } from '../http-ports.js';

export const BOARD_PATH = '/admin/queues';

/**
 * What an operator may do on the dashboard besides looking: run a job again, or now, and remove one that failed. All else
 * that it offers (to empty, clean, pause or wipe a queue, to add or change jobs, to change or remove the schedule) could
 * make an accepted job vanish without its ending.
 */
const ALLOWED = new Set(
  ['retry/:queueStatus', ':jobId/retry', ':jobId/promote', ':jobId/clean'].map(
    (deed) => `PUT ${BOARD_PATH}/api/queues/:queueName/${deed}`,
  ),
);

const REFUSAL =
  'Not from here: it could make a job vanish without its ending. Many dead letters are purged by "runtime-cleanup dead-letters purge".';

/** Its page links a font on another host, which our content policy would not let it load. */
const FOREIGN_FONT = /<link[^>]+fonts\.googleapis\.com[^>]*>/g;

/** Buttons that would be refused are not shown. They have no names, only icons; what an update changes here a test tells. */
const STYLE = `<style>
[class*="jobActions-"] > li:not(:has(.lucide-refresh-cw, .lucide-corner-up-left, .lucide-trash-2)),
[class*="jobActions-"]:not(:has(.lucide-refresh-cw)) > li:has(.lucide-trash-2),
[class*="queueActions-"] > li:not(:has(.lucide-refresh-cw)),
button:has(> .lucide-ellipsis-vertical),
[class*="groupPill"][title] { display: none !important; }
</style>`;

/** Serves the queues' dashboard below `BOARD_PATH`. */
export async function registerBoard(app: App, board: BoardPlugin): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRequest', async ({ method, routeOptions: { url = '' } }, reply) => {
      reply.helmet({ contentSecurityPolicy: BOARD_POLICY });
      // The route that the router found, not the path: a path may be read in more than one way.
      if (method === 'GET' || method === 'HEAD' || ALLOWED.has(`${method} ${url}`)) return;
      // In the form that its own page shows.
      await reply.status(405).send({ error: REFUSAL });
    });
    scope.addHook('onSend', async (_request, reply, payload) =>
      typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
        ? payload.replaceAll(FOREIGN_FONT, '').replace('</head>', `${STYLE}</head>`)
        : payload,
    );
    await scope.register(board, { prefix: BOARD_PATH });
  });
}
