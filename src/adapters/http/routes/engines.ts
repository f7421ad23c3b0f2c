import type { Clock } from '../../../async/clock.js';
import type { EngineRegistry } from '../../../engines/engine-ports.js';
import { API, type App } from '../app.js';
import type { HttpObserver } from '../http-ports.js';
import { actorOf } from '../request/headers.js';
import { actorHeaders, noQuery, ofEngine } from '../request/parameters.js';
import { createWithinSecond } from '../request-timeouts.js';
import { NOT_FOUND, refused, REFUSALS } from '../response/problem.js';
import { acceptance, engineList } from '../response/schemas.js';
import { engineBody } from '../response/serialize.js';

export interface EnginePorts {
  readonly engines: Pick<EngineRegistry, 'list' | 'accept'>;
  /** Whether jobs of this process wait because the engine does not answer; undefined: it does not use the engine. */
  readonly isBreakerOpen: (engine: string) => boolean | undefined;
  readonly observer: Pick<HttpObserver, 'operatorActed'>;
  readonly clock: Clock;
}

const LIST_ENGINES = {
  operationId: 'listEngines',
  tags: ['engines'],
  summary: 'The engines that workers have used, and what they found there',
  querystring: noQuery,
  response: { 200: engineList.describe('All engines, by name.'), ...REFUSALS },
};

const ACCEPT_ENGINE = {
  operationId: 'acceptEngine',
  tags: ['engines'],
  summary: 'Accept the other identity of an engine, and that its missing containers are gone',
  description:
    "The observed identity becomes the engine's own. The containers that are missing now, and no others, are believed to be gone. Where there is neither, nothing changes.",
  params: ofEngine,
  querystring: noQuery,
  headers: actorHeaders,
  response: { 200: acceptance.describe('What was accepted, and the engine as it is now.'), ...NOT_FOUND, ...REFUSALS },
};

export function engineRoutes(app: App, { engines, isBreakerOpen, observer, clock }: EnginePorts): void {
  const withinSecond = createWithinSecond(clock);

  app.get(`${API}/engines`, { schema: LIST_ENGINES }, async () => {
    const found = await withinSecond(engines.list());
    return { items: found.map((engine) => engineBody(engine, isBreakerOpen(engine.name))) };
  });

  app.post(`${API}/engines/:name/accept`, { schema: ACCEPT_ENGINE }, async ({ id, params: { name }, headers }) => {
    const actor = actorOf(headers);
    const accepted = await withinSecond(engines.accept(name, { name: actor, opSource: 'admin_rest' }));
    if (accepted === undefined)
      throw refused('not_found', `no worker has used an engine named ${JSON.stringify(name)}`);
    const { engine, replaced } = accepted;
    const gone = [...accepted.gone];
    if (replaced !== null || gone.length > 0) {
      const detail = { engine: name, replaced, identity: engine.identity, gone };
      observer.operatorActed({ requestId: id, actor, action: 'engine accepted', detail });
    }
    return { ...engineBody(engine, isBreakerOpen(name)), replaced, gone };
  });
}
