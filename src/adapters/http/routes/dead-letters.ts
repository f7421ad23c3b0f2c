import { z } from 'zod';
import { messageOf, UnavailableError, NotWaitedForError, type RequestRefusedError } from '../../../domain/errors.js';
import type { DeadLetter } from '../../../jobs/dead-letters.js';
import { API, type App } from '../app.js';
import { watchCaller } from '../request/client-disconnect.js';
import type { HttpParts } from '../http-ports.js';
import { refused } from '../response/problem.js';
import { NOT_FOUND, REFUSALS } from '../response/error-responses.js';
import {
  after,
  deadLetterPage,
  deadLetterStory,
  failedBefore,
  failureCode,
  gameId,
  jobId,
  limit,
  problem,
  replayed,
  replayRequest,
  replayTally,
} from '../schemas.js';
import { createQueuePatience, createSoon } from '../request-timeouts.js';
import { isoText, writable } from '../response/serialize.js';

const DEAD_LETTERS = `${API}/dead-letters`;
const ofJob = z.object({ job_id: jobId });
const noQuery = z.strictObject({});

export function deadLetterRoutes(app: App, parts: HttpParts, closing: AbortSignal): void {
  const { deadLetters, clock } = parts;
  const soon = createSoon(clock);
  const patient = createQueuePatience(parts);

  app.get(
    DEAD_LETTERS,
    {
      schema: {
        operationId: 'listDeadLetters',
        tags: ['dead letters'],
        summary: 'Dead letters, newest failure first',
        querystring: z.strictObject({
          code: failureCode.optional().meta({ description: 'Only those of this error code.' }),
          game_id: gameId.optional(),
          failed_before: failedBefore,
          after,
          limit,
        }),
        response: { 200: deadLetterPage.describe('One page.'), ...REFUSALS },
      },
    },
    async ({ query: { code, game_id, failed_before, after: cursor, limit: count } }) => {
      const filter = {
        code,
        gameId: game_id,
        failedBefore: failed_before === undefined ? undefined : new Date(failed_before),
      };
      const page = await patient(deadLetters.list({ ...filter, after: cursor, limit: count }), closing);
      return { items: page.items.map(body), next: page.next };
    },
  );

  app.get(
    `${DEAD_LETTERS}/:job_id`,
    {
      schema: {
        operationId: 'getDeadLetter',
        tags: ['dead letters'],
        summary: 'One dead letter with its whole story',
        params: ofJob,
        querystring: noQuery,
        response: { 200: deadLetterStory.describe('The dead letter.'), ...NOT_FOUND, ...REFUSALS },
      },
    },
    async ({ params }) => {
      const found = await soon(deadLetters.find(params.job_id));
      if (found === undefined) throw noDeadLetter(params.job_id);
      const { jobName, payload, attempts, pastLives } = found;
      const lives = pastLives.map(({ reason, at, attempts: tries }) => ({ reason, at, attempts: [...tries] }));
      return { ...body(found), jobName, payload: writable(payload), attempts: [...attempts], pastLives: lives };
    },
  );

  app.post(
    `${DEAD_LETTERS}/:job_id/replay`,
    {
      schema: {
        operationId: 'replayDeadLetter',
        tags: ['dead letters'],
        summary: 'Put a dead letter back into the queue',
        description: 'However many ask at once, the job runs once. It keeps its id, and its history goes on.',
        params: ofJob,
        querystring: noQuery,
        response: { 202: replayed.describe('It is in the queue.'), ...NOT_FOUND, ...REFUSALS },
      },
    },
    async ({ params: { job_id: id } }, reply) => {
      const answer = await soon(deadLetters.replay(id));
      if (answer.status === 'missing') throw noDeadLetter(id);
      const state = answer.status === 'live' ? answer.state : 'waiting';
      return reply
        .status(202)
        .header('location', `${API}/cleanups/${encodeURIComponent(id)}`)
        .send({ jobId: id, status: answer.status, state });
    },
  );

  app.post(
    `${DEAD_LETTERS}/replay`,
    {
      schema: {
        operationId: 'replayDeadLetters',
        tags: ['dead letters'],
        summary: 'Put all dead letters of one error code back, or all there are',
        description: 'Answers when it is done, some seconds for ten thousand; stops when the caller goes.',
        querystring: noQuery,
        body: replayRequest,
        response: {
          200: replayTally.describe('How many.'),
          413: problem.describe('A body of more than 64 KiB.'),
          415: problem.describe('A body that is no JSON by its type.'),
          ...REFUSALS,
        },
      },
    },
    async ({ body: { code } }, reply) => {
      const caller = watchCaller(reply.raw, closing);
      const given = new AbortController();
      const signal = AbortSignal.any([caller.signal, given.signal]);
      let reached = { done: 0, total: 0 };
      const onProgress = (progress: typeof reached): void => void (reached = progress);
      try {
        const filter = code === undefined ? {} : { code };
        const { done, skipped } = await patient(deadLetters.replayAll(filter, { signal, onProgress }), signal);
        return { replayed: done, skipped };
      } catch (error) {
        if (!signal.aborted && !(error instanceof UnavailableError)) throw error;
        const cause = messageOf(error);
        const message = `${reached.done} of ${reached.total} were dealt with before it ended: ${cause}; ask again for the rest`;
        throw refused('service_unavailable', message);
      } finally {
        caller.forget();
        // A queue that hangs must not find this still at it when it comes back.
        given.abort(new NotWaitedForError('the caller has disconnected'));
      }
    },
  );

  app.delete(
    `${DEAD_LETTERS}/:job_id`,
    {
      schema: {
        operationId: 'purgeDeadLetter',
        tags: ['dead letters'],
        summary: 'Remove a dead letter for good',
        params: ofJob,
        querystring: noQuery,
        response: {
          204: z.null().describe('It is gone.'),
          ...NOT_FOUND,
          409: problem.describe('It is no dead letter any more, and stays.'),
          ...REFUSALS,
        },
      },
    },
    async ({ params: { job_id: id } }, reply) => {
      const answer = await soon(deadLetters.purge(id));
      if (answer.status === 'missing') throw noDeadLetter(id);
      if (answer.status === 'live') {
        throw refused('conflict', `job ${JSON.stringify(id)} is ${answer.state}, no dead letter any more`);
      }
      return reply.status(204).send(null);
    },
  );
}

const noDeadLetter = (id: string): RequestRefusedError =>
  refused('not_found', `there is no dead letter ${JSON.stringify(id)}`);

const body = ({ failedAt, enqueuedAt, ...letter }: DeadLetter) => ({
  jobId: letter.jobId,
  gameId: letter.gameId,
  opSource: letter.opSource,
  sourceRef: letter.sourceRef,
  code: letter.code,
  message: letter.message,
  replays: letter.replays,
  failedAt: isoText(failedAt),
  enqueuedAt: isoText(enqueuedAt),
});
