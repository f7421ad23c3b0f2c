import type { App } from './app.js';
import type { BoardPlugin } from './ports.js';

export const BOARD_PATH = '/admin/queues';

/**
 * What an operator may do on the dashboard besides looking: run a job again, or now. All else that it offers (to empty,
 * clean, pause or wipe a queue, to add, change or remove jobs) could make an accepted job vanish without its ending.
 */
const ALLOWED = [
  /^\/api\/queues\/[^/]+\/retry\/failed$/,
  /^\/api\/queues\/[^/]+\/[^/]+\/retry(?:\/[^/]+)?$/,
  /^\/api\/queues\/[^/]+\/[^/]+\/promote$/,
  /^\/api\/queues\/[^/]+\/job-schedulers\/[^/]+\/run$/,
];

const REFUSAL =
  'Not from here: it could make a job vanish without its ending. Dead letters are purged by "runtime-cleanup dead-letters purge".';

/** Its page links a font on another host, which our content policy would not let it load. */
const FOREIGN_FONT = /<link[^>]+fonts\.googleapis\.com[^>]*>/g;

/** Serves the queues' dashboard below `BOARD_PATH`. */
export async function registerBoard(app: App, board: BoardPlugin): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      const path = (request.url.split('?', 1)[0] ?? '').slice(BOARD_PATH.length);
      if (request.method === 'GET' || request.method === 'HEAD') return;
      if (request.method === 'PUT' && ALLOWED.some((pattern) => pattern.test(path))) return;
      // In the form that its own page shows.
      await reply.status(405).send({ error: REFUSAL });
    });
    scope.addHook('onSend', async (_request, reply, payload) =>
      typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
        ? payload.replaceAll(FOREIGN_FONT, '')
        : payload,
    );
    await scope.register(board, { prefix: BOARD_PATH });
  });
}
