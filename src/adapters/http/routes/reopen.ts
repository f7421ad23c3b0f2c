import type { Clock } from '../../../async/clock.js';
import { withDeadline } from '../../../async/deadline.js';
import type { Reopen } from '../../../cleanup/reopen.js';
import { TimeoutError } from '../../../domain/errors.js';
import { recordToJson } from '../../../domain/result.js';
import { API, type App } from '../app.js';
import { actorOf } from '../request/headers.js';
import { noQuery, ofGame, actorHeaders } from '../request/parameters.js';
import { NOT_FOUND, refused, REFUSALS } from '../response/problem.js';
import { problem, record } from '../response/schemas.js';

export interface ReopenPorts {
  readonly reopen: Reopen;
  readonly clock: Clock;
}

/** Lease, database, engine and queue are asked one after the other. */
const REOPEN_LIMIT_MS = 20_000;

const REOPEN_RUNTIME = {
  operationId: 'reopenRuntime',
  tags: ['runtimes'],
  summary: 'Undo a cleanup that found the container already gone',
  description:
    'For a container that exists although the newest cleanup of the game recorded `already_gone`: after a look at that container the record is `stopped` again and names it, and the dead letters of the game are purged. The container itself is not touched; its next cleanup removes it.',
  params: ofGame,
  querystring: noQuery,
  headers: actorHeaders,
  response: {
    200: record.describe('The record, which is `stopped` again.'),
    ...NOT_FOUND,
    409: problem.describe(
      'The record is not `removed`, its newest cleanup did not end as `already_gone`, the container is active or of another game, or another operation holds the lease of the game.',
    ),
    ...REFUSALS,
  },
};

export function reopenRoute(app: App, { reopen, clock }: ReopenPorts, closing: AbortSignal): void {
  const late = () => new TimeoutError('the reopening did not end', REOPEN_LIMIT_MS, { advice: 'read the record' });

  app.post(`${API}/runtimes/:game_id/reopen`, { schema: REOPEN_RUNTIME }, async ({ id, params, headers }) => {
    const command = {
      gameId: params.game_id,
      opSource: 'admin_rest',
      sourceRef: id,
      actor: actorOf(headers),
    } as const;
    const {
      outcome,
      errorCode,
      errorMessage,
      record: reopened,
    } = await withDeadline({ clock, limitMs: REOPEN_LIMIT_MS, late, signal: closing }, (signal) =>
      reopen(command, signal),
    );
    if (outcome === 'success') return recordToJson(reopened);
    // The text of a bug must not reach the caller; the log has it under the request's id, which is the `source_ref`.
    const message = errorCode === 'internal_error' ? 'the record could not be reopened' : errorMessage;
    throw refused(errorCode, message);
  });
}
