/** How a removal ends when the connection to the engine is faulty. The clock is set by hand, so no test waits for a deadline. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createDocker } from '../../../src/adapters/docker/connection.js';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import {
  type EngineFault,
  type EngineFaultProxy,
  startEngineFaultProxy,
} from '../../support/engine/engine-fault-proxy.js';
import { type ManualClock, createManualClock } from '../../support/manual-clock.js';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';
import { EngineProtocolError } from '../../../src/domain/errors.js';

const TIMEOUT_MS = 5_000;
const signal = new AbortController().signal;

let proxy: EngineFaultProxy;
let containers: TestContainers;
let clock: ManualClock;
let engine: ContainerEngine;

beforeAll(async () => {
  containers = await createTestContainers(inject('engineSocket'));
  proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket') });
});
beforeEach(() => {
  clock = createManualClock();
  const docker = createDocker({ host: `unix://${proxy.socketPath}` });
  engine = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
});
afterAll(async () => {
  await proxy.close();
  await containers.clear();
});

const onDelete = (fault: EngineFault): void => proxy.use(({ method }) => (method === 'DELETE' ? fault : undefined));

/** The methods of the requests, in order. */
const methods = (): readonly string[] => proxy.requests().map((request) => request.method);

/** The value or the error that `promise` ends with; listens at once, so that no rejection is unhandled. */
const endingOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

const mayStillBe = {
  name: 'UnavailableError',
  dependency: 'docker',
  message: expect.stringMatching(/may still be carried out: .+ a second look found it still there/) as string,
};

describe('a removal whose answer is lost', () => {
  test('a removal whose answer is lost is reported as gone when the engine has carried it out', async () => {
    const id = await containers.make('created');
    onDelete({ kind: 'lost-answer' });
    expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: false });
    expect(proxy.requests()).toMatchObject([
      { method: 'DELETE', engineStatus: 204 },
      { method: 'GET', engineStatus: 404 },
    ]);
  });

  test('a removal that never reached the engine is reported as unavailable', async () => {
    const id = await containers.make('created');
    onDelete({ kind: 'reset' });
    expect(await endingOf(engine.remove(id, signal))).toMatchObject(mayStillBe);
    expect(methods()).toEqual(['DELETE', 'GET']);
    expect(await containers.stateOf(id)).toBe('created');
  });

  test.each(['hang-after', 'truncated-body'] as const)(
    'a removal whose answer meets the fault %s is reported as gone',
    async (kind) => {
      const id = await containers.make('created');
      onDelete({ kind });
      const ending = endingOf(engine.remove(id, signal));
      await proxy.until(() => expect(proxy.requests()).toMatchObject([{ method: 'DELETE', engineStatus: 204 }]));
      await clock.advance(TIMEOUT_MS);
      expect(await ending).toEqual({ kind: 'gone', ours: false });
      expect(methods()).toEqual(['DELETE', 'GET']);
    },
  );

  test('a removal of a running container is reported as unavailable when the refusal is cut off', async () => {
    const id = await containers.make('running');
    onDelete({ kind: 'truncated-body' });
    const ending = endingOf(engine.remove(id, signal));
    await proxy.until(() => expect(proxy.requests()).toMatchObject([{ method: 'DELETE', engineStatus: 409 }]));
    await clock.advance(TIMEOUT_MS);
    expect(await ending).toMatchObject(mayStillBe);
    expect(await containers.stateOf(id)).toBe('running');
  });

  test('a removal that the engine does not begin is reported as unavailable', async () => {
    const id = await containers.make('created');
    onDelete({ kind: 'hang' });
    const ending = endingOf(engine.remove(id, signal));
    await proxy.until(() => expect(methods()).toEqual(['DELETE']));
    await clock.advance(TIMEOUT_MS);
    expect(await ending).toMatchObject(mayStillBe);
    expect(await containers.stateOf(id)).toBe('created');
  });

  test.each([502, 504])('a removal that a gateway answers with %i is reported as unavailable', async (status) => {
    const id = await containers.make('created');
    onDelete({ kind: 'status', status, message: 'upstream' });
    expect(await endingOf(engine.remove(id, signal))).toMatchObject(mayStillBe);
    expect(methods()).toEqual(['DELETE', 'GET']);
  });

  test('a removal rejects after a second deadline when the look after it hangs as well', async () => {
    const id = await containers.make('created');
    proxy.use(() => ({ kind: 'hang' }));
    const ending = endingOf(engine.remove(id, signal));
    await proxy.until(() => expect(methods()).toEqual(['DELETE']));
    await clock.advance(TIMEOUT_MS);
    await proxy.until(() => expect(methods()).toEqual(['DELETE', 'GET']));
    await clock.advance(TIMEOUT_MS);
    expect(await ending).toMatchObject({
      name: 'UnavailableError',
      message: expect.stringMatching(/may still be carried out: no answer within 5000 ms; then: cannot look/) as string,
    });
  });
});

describe('a refused removal', () => {
  test.each([
    [409, 'removal of container x is already in progress'],
    [409, 'You cannot remove a running container'],
    [500, 'container state improper'],
    [500, 'No such container'],
  ])(
    'a removal refused with %i %s is judged by a fresh look, which finds the container idle',
    async (status, message) => {
      const id = await containers.make('created');
      onDelete({ kind: 'status', status, message });
      expect(await engine.remove(id, signal)).toEqual({
        kind: 'still_there',
        state: { kind: 'present', gameLabel: 'game-1', activity: 'idle', detail: 'created' },
        detail: `${message} (HTTP ${status})`,
      });
      expect(methods()).toEqual(['DELETE', 'GET']);
    },
  );

  test('a refused removal is reported as gone when the container has disappeared meanwhile', async () => {
    const id = await containers.make('created');
    await containers.docker.getContainer(id).remove();
    onDelete({ kind: 'status', status: 409, message: 'removal of container x is already in progress' });
    expect(await engine.remove(id, signal)).toEqual({ kind: 'gone', ours: false });
  });

  test('a refused removal is reported as unavailable when the look after it fails', async () => {
    const id = await containers.make('created');
    proxy.use(({ method }) =>
      method === 'DELETE' ? { kind: 'status', status: 409, message: 'in progress' } : { kind: 'reset' },
    );
    expect(await endingOf(engine.remove(id, signal))).toMatchObject({ name: 'UnavailableError', dependency: 'docker' });
  });
});

describe('a removal that is answered with "not now"', () => {
  test.each([
    [503, 'shutting down'],
    [429, 'too many requests'],
    [408, 'request timeout'],
    [403, 'authorization denied by plugin'],
    [404, 'page not found'],
    [301, 'moved'],
  ])('a removal answered with %i %s removes nothing, and no other request follows', async (status, message) => {
    const id = await containers.make('created');
    onDelete({ kind: 'status', status, message });
    expect(await endingOf(engine.remove(id, signal))).toMatchObject({
      name: 'EngineRefusalError',
      dependency: 'docker',
      message: `cannot remove container ${id}: ${message} (HTTP ${status})`,
    });
    expect(methods()).toEqual(['DELETE']);
    expect(await containers.stateOf(id)).toBe('created');
  });

  test('a removal answered with 400 is a bug, not an outage', async () => {
    const id = await containers.make('created');
    onDelete({ kind: 'status', status: 400, message: 'bad parameter' });
    expect(await endingOf(engine.remove(id, signal))).toBeInstanceOf(EngineProtocolError);
  });

  test('a look and a removal are unavailable when there is no engine', async () => {
    const docker = createDocker({ host: 'unix:///tmp/no-such-folder/engine.sock' });
    const nowhere = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
    const id = 'a'.repeat(64);
    const missing = { name: 'UnavailableError', message: expect.stringMatching(/: connect ENOENT/) as string };
    expect(await endingOf(nowhere.look(id, signal))).toMatchObject(missing);
    expect(await endingOf(nowhere.remove(id, signal))).toMatchObject(missing);
  });
});

describe('an abort during a removal', () => {
  const reason = new Error('lease lost');

  test.each([
    ['hang', null],
    ['hang-after', 204],
    ['truncated-body', 204],
  ] as const)(
    'an abort ends a removal at once with its reason while the answer meets the fault %s',
    async (kind, engineStatus) => {
      const id = await containers.make('created');
      onDelete({ kind });
      const caller = new AbortController();
      const ending = endingOf(engine.remove(id, caller.signal));
      await proxy.until(() => expect(proxy.requests()).toMatchObject([{ engineStatus }]));
      caller.abort(reason);
      expect(await ending).toBe(reason);
      expect(methods()).toEqual(['DELETE']);
    },
  );

  test('an abort ends a removal at once with its reason during the look after a lost answer', async () => {
    const id = await containers.make('created');
    proxy.use(({ method }) => ({ kind: method === 'DELETE' ? 'lost-answer' : 'hang' }));
    const caller = new AbortController();
    const ending = endingOf(engine.remove(id, caller.signal));
    await proxy.until(() => expect(methods()).toEqual(['DELETE', 'GET']));
    caller.abort(reason);
    expect(await ending).toBe(reason);
  });
});

describe('the requests to the engine', () => {
  test('a look and a removal each send one request with the full id, and a removal is never forced', async () => {
    const id = await containers.make('created');
    proxy.use(() => undefined);
    await engine.look(id, signal);
    await engine.remove(id, signal);
    expect(proxy.requests().map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET /containers/${id}/json`,
      `DELETE /containers/${id}?v=true`,
    ]);
  });

  test('a repeated or refused removal sends the same parameters as the first one', async () => {
    const id = await containers.make('running');
    proxy.use(() => undefined);
    for (let turn = 0; turn < 3; turn += 1) await engine.remove(id, signal);
    await containers.docker.getContainer(id).kill();
    await engine.remove(id, signal);
    const queries = proxy
      .requests()
      .filter(({ method }) => method === 'DELETE')
      .map(({ url }) => url.split('?')[1]);
    expect(new Set(queries)).toEqual(new Set(['v=true']));
  });

  test('no request is sent for an id that is not a full one', async () => {
    proxy.use(() => undefined);
    await expect(engine.remove(`${'a'.repeat(64)}?force=1&x=`, signal)).rejects.toThrow(TypeError);
    await expect(engine.look('..', signal)).rejects.toThrow(TypeError);
    expect(proxy.requests()).toEqual([]);
  });
});
