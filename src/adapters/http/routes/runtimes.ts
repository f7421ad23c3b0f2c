import { z } from 'zod';
import type { RuntimeRecord } from '../../../domain/runtime-record.js';
import { recordToJson } from '../../../domain/result.js';
import type { Judgement } from '../../../retention/judge-record.js';
import { API, type App } from '../app.js';
import type { HttpParts } from '../http-ports.js';
import { refused } from '../response/problem.js';
import { NOT_FOUND, REFUSALS } from '../response/error-responses.js';
import { after, before, gameId, judgedRecord, limit, operationPage, recordPage, status } from '../schemas.js';
import { createPatient, createSoon } from '../request-timeouts.js';
import { isoOrNull, isoText } from '../response/serialize.js';

export function runtimeRoutes(app: App, parts: HttpParts): void {
  const { records, retention, clock } = parts;
  const soon = createSoon(clock);
  const patient = createPatient(parts);

  app.get(
    `${API}/runtimes`,
    {
      schema: {
        operationId: 'listRuntimes',
        tags: ['runtimes'],
        summary: 'Runtime records in game id order',
        querystring: z.strictObject({ status, after, limit }),
        response: { 200: recordPage.describe('One page.'), ...REFUSALS },
      },
    },
    ({ query }) =>
      patient(
        (async () => {
          const page = await records.listRecords(query);
          const judged = await retention.judge(page.items.map(({ gameId: id }) => id));
          const items = page.items.map((found) => withDueAt(found, judged.get(found.gameId)));
          return { items, next: page.next };
        })(),
      ),
  );

  app.get(
    `${API}/runtimes/:game_id`,
    {
      schema: {
        operationId: 'getRuntime',
        tags: ['runtimes'],
        summary: 'The runtime record of one game, and what retention makes of it',
        params: z.object({ game_id: gameId }),
        querystring: z.strictObject({}),
        response: { 200: judgedRecord.describe('The record.'), ...NOT_FOUND, ...REFUSALS },
      },
    },
    ({ params: { game_id: id } }) =>
      patient(
        (async () => {
          const [found, judged] = await Promise.all([records.findRecord(id), retention.judge([id])]);
          const judgement = judged.get(id);
          if (found === undefined || judgement === undefined) {
            throw refused('not_found', `there is no runtime record of the game ${JSON.stringify(id)}`);
          }
          return { ...withDueAt(found, judgement), retention: retentionBody(judgement) };
        })(),
      ),
  );

  app.get(
    `${API}/runtimes/:game_id/operations`,
    {
      schema: {
        operationId: 'listOperations',
        tags: ['runtimes'],
        summary: 'The operation log of one game, newest first',
        params: z.object({ game_id: gameId }),
        querystring: z.strictObject({ before, limit }),
        response: {
          200: operationPage.describe('One page; empty for a game that was never operated on.'),
          ...REFUSALS,
        },
      },
    },
    async ({ params, query }) => {
      const page = await soon(records.listOperations({ gameId: params.game_id, ...query }));
      const items = page.items.map((row) => ({
        ...row,
        startedAt: isoText(row.startedAt),
        finishedAt: isoText(row.finishedAt),
      }));
      return { items, next: page.next };
    },
  );
}

const withDueAt = (found: RuntimeRecord, judgement: Judgement | undefined) => ({
  ...recordToJson(found),
  cleanup_due_at: isoOrNull(judgement?.dueAt),
});

function retentionBody({ verdict, stoppedSince, hold, deadLetter }: Judgement) {
  return { verdict, stoppedSince: isoOrNull(stoppedSince), hold: holdBody(hold), deadLetter };
}

/** Of a hold, what is not known already. */
export function holdBody(hold: Judgement['hold']) {
  return hold === null ? null : { reason: hold.reason, heldBy: hold.heldBy, heldUntil: isoOrNull(hold.heldUntil) };
}
