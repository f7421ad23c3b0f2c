/** One dead letter, and a page of them. */
import { z } from 'zod';
import type { DeadLetters } from '../../../../jobs/dead-letters.js';
import { API, type App } from '../../app.js';
import { after, failedBefore, failureCode, gameId, limit, noQuery, ofJob } from '../../request/parameters.js';
import { createWhileQueueAnswers, createWithinSecond, type QueueProbe } from '../../request-timeouts.js';
import { NOT_FOUND, refused, REFUSALS } from '../../response/problem.js';
import { deadLetterPage, deadLetterStory } from '../../response/schemas.js';
import { deadLetterBody, deadLetterStoryBody } from '../../response/serialize.js';

export interface DeadLetterReadPorts extends QueueProbe {
  readonly deadLetters: Pick<DeadLetters, 'list' | 'find'>;
}

export const DEAD_LETTERS = `${API}/dead-letters`;

const LIST_DEAD_LETTERS = {
  operationId: 'listDeadLetters',
  tags: ['dead letters'],
  summary: 'Dead letters, newest failure first',
  querystring: z.strictObject({
    code: failureCode.optional().meta({ description: 'Only dead letters with this error code.' }),
    game_id: gameId.optional(),
    failed_before: failedBefore,
    after,
    limit,
  }),
  response: { 200: deadLetterPage.describe('One page.'), ...REFUSALS },
};

const GET_DEAD_LETTER = {
  operationId: 'getDeadLetter',
  tags: ['dead letters'],
  summary: 'One dead letter with its payload and history',
  params: ofJob,
  querystring: noQuery,
  response: { 200: deadLetterStory.describe('The dead letter.'), ...NOT_FOUND, ...REFUSALS },
};

export function deadLetterReadRoutes(app: App, ports: DeadLetterReadPorts, closing: AbortSignal): void {
  const { deadLetters, clock } = ports;
  const withinSecond = createWithinSecond(clock);
  const whileQueueAnswers = createWhileQueueAnswers(ports);

  app.get(DEAD_LETTERS, { schema: LIST_DEAD_LETTERS }, async ({ query }) => {
    const { code, game_id, failed_before, after: cursor, limit: count } = query;
    const filter = {
      code,
      gameId: game_id,
      failedBefore: failed_before === undefined ? undefined : new Date(failed_before),
    };
    const page = await whileQueueAnswers(deadLetters.list({ ...filter, after: cursor, limit: count }), closing);
    return { items: page.items.map(deadLetterBody), next: page.next };
  });

  app.get(`${DEAD_LETTERS}/:job_id`, { schema: GET_DEAD_LETTER }, async ({ params }) => {
    const found = await withinSecond(deadLetters.find(params.job_id));
    if (found === undefined) throw noDeadLetter(params.job_id);
    return deadLetterStoryBody(found);
  });
}

export const noDeadLetter = (id: string) => refused('not_found', `there is no dead letter ${JSON.stringify(id)}`);
