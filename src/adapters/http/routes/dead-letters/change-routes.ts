/** Replay and purge of one dead letter. */
import { z } from 'zod';
import type { Clock } from '../../../../async/clock.js';
import type { DeadLetters } from '../../../../jobs/dead-letters.js';
import { API, type App } from '../../app.js';
import { noQuery, ofJob } from '../../request/parameters.js';
import { createWithinSecond } from '../../request-timeouts.js';
import { NOT_FOUND, refused, REFUSALS } from '../../response/problem.js';
import { problem, replayed } from '../../response/schemas.js';
import { DEAD_LETTERS, noDeadLetter } from './read-routes.js';

export interface DeadLetterChangePorts {
  readonly deadLetters: Pick<DeadLetters, 'replay' | 'purge'>;
  readonly clock: Clock;
}

const REPLAY_DEAD_LETTER = {
  operationId: 'replayDeadLetter',
  tags: ['dead letters'],
  summary: 'Put a dead letter back into the queue',
  description: 'The job runs once, also when several requests replay it at the same time. It keeps its id and history.',
  params: ofJob,
  querystring: noQuery,
  response: { 202: replayed.describe('The job is in the queue.'), ...NOT_FOUND, ...REFUSALS },
};

const PURGE_DEAD_LETTER = {
  operationId: 'purgeDeadLetter',
  tags: ['dead letters'],
  summary: 'Remove a dead letter permanently',
  params: ofJob,
  querystring: noQuery,
  response: {
    204: z.null().describe('The dead letter is removed.'),
    ...NOT_FOUND,
    409: problem.describe('The job is no longer a dead letter, and is not removed.'),
    ...REFUSALS,
  },
};

export function deadLetterChangeRoutes(app: App, { deadLetters, clock }: DeadLetterChangePorts): void {
  const withinSecond = createWithinSecond(clock);

  app.post(`${DEAD_LETTERS}/:job_id/replay`, { schema: REPLAY_DEAD_LETTER }, async ({ params }, reply) => {
    const { job_id: id } = params;
    const answer = await withinSecond(deadLetters.replay(id));
    if (answer.status === 'missing') throw noDeadLetter(id);
    const state = answer.status === 'live' ? answer.state : 'waiting';
    return reply
      .status(202)
      .header('location', `${API}/cleanups/${encodeURIComponent(id)}`)
      .send({ jobId: id, status: answer.status, state });
  });

  app.delete(`${DEAD_LETTERS}/:job_id`, { schema: PURGE_DEAD_LETTER }, async ({ params }, reply) => {
    const { job_id: id } = params;
    const answer = await withinSecond(deadLetters.purge(id));
    if (answer.status === 'missing') throw noDeadLetter(id);
    if (answer.status === 'live') {
      throw refused('conflict', `job ${JSON.stringify(id)} is ${answer.state} and no longer a dead letter`);
    }
    return reply.status(204).send(null);
  });
}
