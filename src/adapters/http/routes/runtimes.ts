import { z } from 'zod';
import type { Retention } from '../../../retention/retention-service.js';
import { API, type App } from '../app.js';
import { after, before, limit, noQuery, ofGame, status } from '../request/parameters.js';
import { createWhileStoresAnswer, createWithinSecond, type StoresProbe } from '../request-timeouts.js';
import { NOT_FOUND, refused, REFUSALS } from '../response/problem.js';
import { judgedRecord, operationPage, recordPage } from '../response/schemas.js';
import { judgedRecordBody, listedRecordBody, operationBody } from '../response/serialize.js';
import type { RecordQueries } from '../../../domain/record-queries.js';

export interface RuntimePorts extends StoresProbe {
  readonly records: RecordQueries;
  readonly retention: Pick<Retention, 'judge'>;
}

const LIST_RUNTIMES = {
  operationId: 'listRuntimes',
  tags: ['runtimes'],
  summary: 'Runtime records in game id order',
  querystring: z.strictObject({ status, after, limit }),
  response: { 200: recordPage.describe('One page.'), ...REFUSALS },
};

const GET_RUNTIME = {
  operationId: 'getRuntime',
  tags: ['runtimes'],
  summary: 'The runtime record of one game, and how retention judges it',
  params: ofGame,
  querystring: noQuery,
  response: { 200: judgedRecord.describe('The record.'), ...NOT_FOUND, ...REFUSALS },
};

const LIST_OPERATIONS = {
  operationId: 'listOperations',
  tags: ['runtimes'],
  summary: 'The operation log of one game, newest first',
  params: ofGame,
  querystring: z.strictObject({ before, limit }),
  response: { 200: operationPage.describe('One page; empty for a game without operations.'), ...REFUSALS },
};

export function runtimeRoutes(app: App, ports: RuntimePorts): void {
  const { records, retention, clock } = ports;
  const withinSecond = createWithinSecond(clock);
  const whileStoresAnswer = createWhileStoresAnswer(ports);

  app.get(`${API}/runtimes`, { schema: LIST_RUNTIMES }, ({ query }) =>
    whileStoresAnswer(
      (async () => {
        const page = await records.listRecords(query);
        const judged = await retention.judge(page.items.map(({ gameId: id }) => id));
        const items = page.items.map((found) => listedRecordBody(found, judged.get(found.gameId)));
        return { items, next: page.next };
      })(),
    ),
  );

  app.get(`${API}/runtimes/:game_id`, { schema: GET_RUNTIME }, ({ params: { game_id: id } }) =>
    whileStoresAnswer(
      (async () => {
        const [found, judged] = await Promise.all([records.findRecord(id), retention.judge([id])]);
        const judgement = judged.get(id);
        if (found !== undefined && judgement !== undefined) return judgedRecordBody(found, judgement);
        throw refused('not_found', `there is no runtime record of the game ${JSON.stringify(id)}`);
      })(),
    ),
  );

  app.get(`${API}/runtimes/:game_id/operations`, { schema: LIST_OPERATIONS }, async ({ params, query }) => {
    const page = await withinSecond(records.listOperations({ gameId: params.game_id, ...query }));
    return { items: page.items.map(operationBody), next: page.next };
  });
}
