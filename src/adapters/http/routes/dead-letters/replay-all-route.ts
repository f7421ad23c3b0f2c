/** Replay of all dead letters, or of all with one error code, for as long as the caller waits. */
import { messageOf, NotWaitedForError, UnavailableError } from '../../../../domain/errors.js';
import type { DeadLetterFilter, DeadLetters } from '../../../../jobs/dead-letters.js';
import type { App } from '../../app.js';
import { watchCaller } from '../../request/connections.js';
import { noQuery, replayRequest } from '../../request/parameters.js';
import { createWhileQueueAnswers, type QueueProbe } from '../../request-timeouts.js';
import { refused, REFUSALS } from '../../response/problem.js';
import { problem, replayTally } from '../../response/schemas.js';
import { DEAD_LETTERS } from './read-routes.js';

export interface ReplayAllPorts extends QueueProbe {
  readonly deadLetters: Pick<DeadLetters, 'replayAll'>;
}

const REPLAY_DEAD_LETTERS = {
  operationId: 'replayDeadLetters',
  tags: ['dead letters'],
  summary: 'Put all dead letters, or all with one error code, back into the queue',
  description: 'Answered at the end, after some seconds for ten thousand. Stops when the caller disconnects.',
  querystring: noQuery,
  body: replayRequest,
  response: {
    200: replayTally.describe('How many were replayed.'),
    413: problem.describe('The body is longer than 64 KiB.'),
    415: problem.describe('The content type of the body is not JSON.'),
    ...REFUSALS,
  },
};

export function replayAllRoute(app: App, ports: ReplayAllPorts, closing: AbortSignal): void {
  const replayAll = createReplayAll(ports);
  app.post(`${DEAD_LETTERS}/replay`, { schema: REPLAY_DEAD_LETTERS }, async ({ body: { code } }, reply) => {
    const caller = watchCaller(reply.raw, closing);
    try {
      const { done, skipped } = await replayAll(code === undefined ? {} : { code }, caller.signal);
      return { replayed: done, skipped };
    } finally {
      caller.forget();
    }
  });
}

/** A replay that is cut short is refused with how far it came, so that the caller knows to ask for the rest. */
function createReplayAll(ports: ReplayAllPorts) {
  const whileQueueAnswers = createWhileQueueAnswers(ports);
  return async (filter: DeadLetterFilter, callerSignal: AbortSignal) => {
    const ended = new AbortController();
    const signal = AbortSignal.any([callerSignal, ended.signal]);
    let reached = { done: 0, total: 0 };
    const onProgress = (progress: typeof reached): void => void (reached = progress);
    try {
      return await whileQueueAnswers(ports.deadLetters.replayAll(filter, { signal, onProgress }), signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof UnavailableError)) throw error;
      const cause = messageOf(error);
      const message = `${reached.done} of ${reached.total} were processed before the replay stopped: ${cause}; ask again for the rest`;
      throw refused('service_unavailable', message);
    } finally {
      // A queue that hung must not continue this replay when it answers again.
      ended.abort(new NotWaitedForError('the replay has ended'));
    }
  };
}
