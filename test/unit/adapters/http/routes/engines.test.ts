import { describe, expect, it } from 'vitest';
import type { EngineIdentity } from '../../../../../src/engines/engine-ports.js';
import type { HttpParts } from '../../../../../src/adapters/http/build-app.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import { CONTAINER_ID } from '../../../../support/records.js';
import { API, httpWorld, messageIn } from '../http-world.js';

const OWN: EngineIdentity = { engineId: 'own', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };
const OTHER: EngineIdentity = { ...OWN, engineId: 'other' };
const AT = '2026-03-01T00:00:00.000Z';

/** An engine `default` at which another one answers, and which has lost the container of the game `a`. */
async function troubledWorld(over: Partial<HttpParts> = {}) {
  const world = await httpWorld(over);
  await world.engines.seen('default', OWN);
  await world.engines.seen('default', OTHER);
  await world.containerLooks.foundGone({ engine: 'default', gameId: 'a', containerId: CONTAINER_ID, jobId: '1' });
  const accept = (name: string, headers = {}) =>
    world.app.inject({ method: 'POST', url: `${API}/engines/${name}/accept`, headers });
  return { ...world, accept };
}

const item = {
  name: 'default',
  identity: OWN,
  observed: OTHER,
  observedAt: AT,
  firstSeenAt: AT,
  lastSeenAt: AT,
  acceptedAt: null,
  acceptedBy: null,
  missing: 1,
};

describe('the list of engines', () => {
  it('the list of engines has identity, observed identity and missing containers of each', async () => {
    const { app } = await troubledWorld();
    expect((await app.inject(`${API}/engines`)).json()).toEqual({ items: [item] });
  });

  it.each([true, false])(
    'the list of engines has the state of the breaker where this process has one: open is %s',
    async (isOpen) => {
      const { app } = await troubledWorld({ isBreakerOpen: (engine) => (engine === 'default' ? isOpen : undefined) });
      expect((await app.inject(`${API}/engines`)).json()).toEqual({ items: [{ ...item, breakerOpen: isOpen }] });
    },
  );

  it('the list of engines is refused with 503 while the database is unavailable', async () => {
    const list = () => Promise.reject(new UnavailableError('postgresql', 'not reached'));
    const { app, engines } = await httpWorld();
    const away = await httpWorld({ engines: { ...engines, list } });
    expect((await app.inject(`${API}/engines`)).json()).toEqual({ items: [] });
    expect((await away.app.inject(`${API}/engines`)).statusCode).toBe(503);
  });
});

describe('the acceptance of an engine', () => {
  it('an acceptance answers with the new engine, what was replaced, and the games whose containers are gone', async () => {
    const { accept, engines } = await troubledWorld();
    const answer = await accept('default', { 'x-galaxy-caller': ' kim ' });
    expect(answer.statusCode).toBe(200);
    const after = { ...item, identity: OTHER, observed: null, observedAt: null, missing: 0 };
    const accepted = { ...after, acceptedAt: AT, acceptedBy: 'kim' };
    expect(answer.json()).toEqual({ ...accepted, replaced: OWN, gone: ['a'] });
    expect(await engines.list()).toMatchObject([{ identity: OTHER, missing: 0 }]);
  });

  it('an acceptance is reported once with its actor, and not when nothing was accepted', async () => {
    const { accept, actions } = await troubledWorld();
    await accept('default', { 'x-request-id': 'r-1', authorization: 'Bearer a-secret-token' });
    expect((await accept('default')).json()).toMatchObject({ replaced: null, gone: [] });
    expect(actions).toEqual([
      {
        requestId: 'r-1',
        actor: 'admin',
        action: 'engine accepted',
        detail: { engine: 'default', replaced: OWN, identity: OTHER, gone: ['a'] },
      },
    ]);
  });

  it.each(['unknown', 'default%00', 'defaul%C3%A9'])(
    'an acceptance of the unknown engine %s is answered with 404',
    async (name) => {
      const { accept, engines, actions } = await troubledWorld();
      const answer = await accept(name);
      expect([answer.statusCode, messageIn(answer)]).toEqual([404, expect.stringContaining('no worker has used')]);
      expect(await engines.list()).toMatchObject([{ observed: OTHER, missing: 1 }]);
      expect(actions).toEqual([]);
    },
  );

  it('an acceptance stores at most 100 characters of its caller', async () => {
    const { accept } = await troubledWorld();
    const { acceptedBy } = (await accept('default', { 'x-galaxy-caller': 'x'.repeat(300) })).json<{
      readonly acceptedBy: string;
    }>();
    expect(acceptedBy).toBe('x'.repeat(100));
  });
});
