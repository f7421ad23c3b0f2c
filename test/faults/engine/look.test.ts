/** How a look ends when the connection to the engine is faulty, or leads to a server that is not an engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const TIMEOUT_MS = 5_000;
const signal = new AbortController().signal;
const endingOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const unavailable = (message: RegExp) => ({
  name: 'UnavailableError',
  dependency: 'docker',
  message: expect.stringMatching(message) as string,
});

/** An outage that was answered: the engine lives, so the circuit breaker stays closed. */
const refused = (message: RegExp) => ({ ...unavailable(message), name: 'EngineRefusalError' });

let clock: ManualClock;
beforeEach(() => {
  clock = createManualClock();
});

describe('a look over a faulty connection', () => {
  let proxy: EngineFaultProxy;
  let containers: TestContainers;
  let engine: ContainerEngine;
  let id: string;

  beforeAll(async () => {
    containers = await createTestContainers(inject('engineSocket'));
    proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket') });
    id = await containers.make('created');
  });
  beforeEach(() => {
    const docker = createDocker({ host: `unix://${proxy.socketPath}` });
    engine = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
  });
  afterAll(async () => {
    await proxy.close();
    await containers.clear();
  });

  test.each<[EngineFault, RegExp]>([
    [{ kind: 'reset' }, /socket hang up|ECONNRESET/],
    [{ kind: 'lost-answer' }, /socket hang up|ECONNRESET/],
    [{ kind: 'status', status: 500, message: 'broken' }, /broken \(HTTP 500\)/],
    [{ kind: 'status', status: 502, message: 'bad gateway' }, /bad gateway \(HTTP 502\)/],
    [{ kind: 'status', status: 503, message: 'busy' }, /busy \(HTTP 503\)/],
    [{ kind: 'status', status: 429, message: 'slow down' }, /slow down \(HTTP 429\)/],
    [{ kind: 'status', status: 404, message: 'page not found' }, /page not found \(HTTP 404\)/],
    [{ kind: 'status', status: 301, message: 'moved' }, /moved \(HTTP 301\)/],
    [{ kind: 'status', status: 200, message: 'welcome' }, /the answer is not the engine's: it has no Id/],
  ])('a look that meets %o is an outage, not a missing container', async (fault, message) => {
    proxy.use(() => fault);
    const isRefused = fault.kind === 'status' && fault.status !== 200;
    expect(await endingOf(engine.look(id, signal))).toMatchObject((isRefused ? refused : unavailable)(message));
  });

  test.each<[EngineFault, number | null]>([
    [{ kind: 'hang' }, null],
    [{ kind: 'hang-after' }, 200],
    [{ kind: 'truncated-body' }, 200],
  ])('a look that meets %o ends with the deadline', async (fault, engineStatus) => {
    proxy.use(() => fault);
    const ending = endingOf(engine.look(id, signal));
    await proxy.until(() => expect(proxy.requests()).toMatchObject([{ engineStatus }]));
    await clock.advance(TIMEOUT_MS);
    expect(await ending).toMatchObject(unavailable(/no answer within 5000 ms/));
  });

  test('a look reads an answer that comes slowly but in time', async () => {
    proxy.use(() => ({ kind: 'slow-body', ms: 1, bytes: 256 }));
    expect(await engine.look(id, signal)).toMatchObject({ kind: 'present', activity: 'idle' });
  });

  test('a look whose answer comes too slowly ends with the deadline', async () => {
    proxy.use(() => ({ kind: 'slow-body', ms: 50, bytes: 1 }));
    const ending = endingOf(engine.look(id, signal));
    await proxy.until(() => expect(proxy.requests()).toMatchObject([{ engineStatus: 200 }]));
    await clock.advance(TIMEOUT_MS);
    expect(await ending).toMatchObject(unavailable(/no answer within 5000 ms/));
  });

  test.each<EngineFault>([{ kind: 'hang' }, { kind: 'truncated-body' }])(
    'a look that meets %o ends at once on an abort',
    async (fault) => {
      proxy.use(() => fault);
      const reason = new Error('lease lost');
      const caller = new AbortController();
      const ending = endingOf(engine.look(id, caller.signal));
      await proxy.until(() => expect(proxy.requests()).toHaveLength(1));
      caller.abort(reason);
      expect(await ending).toBe(reason);
    },
  );

  test('many looks that hang on one signal all end with its abort', async () => {
    proxy.use(() => ({ kind: 'hang' }));
    const reason = new Error('shutting down');
    const caller = new AbortController();
    const endings = Promise.all(Array.from({ length: 32 }, () => endingOf(engine.look(id, caller.signal))));
    await proxy.until(() => expect(proxy.requests()).toHaveLength(32));
    caller.abort(reason);
    expect(new Set(await endings)).toEqual(new Set([reason]));
  });

  test('a look succeeds again as soon as the engine answers', async () => {
    proxy.use(({ nth }) => (nth === 1 ? { kind: 'lost-answer' } : undefined));
    expect(await endingOf(engine.look(id, signal))).toMatchObject(unavailable(/./));
    expect(await engine.look(id, signal)).toMatchObject({ kind: 'present' });
  });
});

describe('a look at a server that is not an engine', () => {
  const id = 'a'.repeat(64);
  let folder: string;
  let answer: (response: ServerResponse) => void;
  let engine: ContainerEngine;
  const server = createServer((_request, response) => answer(response));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'no-engine-'));
    await new Promise<void>((resolve) => void server.listen(join(folder, 'sock'), resolve));
  });
  beforeEach(() => {
    const docker = createDocker({ host: `unix://${join(folder, 'sock')}` });
    engine = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const answerAlways = (status: number, body: string): void => {
    answer = (response) => {
      response.writeHead(status);
      response.end(body);
    };
  };

  test('a web page that says "No such container" with 404 is not taken for a missing container', async () => {
    answerAlways(404, '<h1>No such container</h1>');
    expect(await endingOf(engine.look(id, signal))).toMatchObject(refused(/HTTP code 404/));
    expect(await endingOf(engine.remove(id, signal))).toMatchObject(refused(/HTTP code 404/));
  });

  test('an empty 404 is not taken for a missing container', async () => {
    answerAlways(404, '');
    expect(await endingOf(engine.look(id, signal))).toMatchObject(refused(/HTTP code 404/));
    expect(await endingOf(engine.remove(id, signal))).toMatchObject(refused(/HTTP code 404/));
  });

  test('a plain 400, as from a TLS port that is spoken to in plain HTTP, is an outage', async () => {
    answerAlways(400, 'Client sent an HTTP request to an HTTPS server.\n');
    expect(await endingOf(engine.look(id, signal))).toMatchObject(refused(/HTTP request to an HTTPS server/));
  });

  test('a web page with 200 is taken neither for a container nor for a removal', async () => {
    answerAlways(200, '<h1>Welcome</h1>');
    expect(await endingOf(engine.look(id, signal))).toMatchObject(unavailable(/not the engine's/));
    expect(await endingOf(engine.remove(id, signal))).toMatchObject(unavailable(/may still be carried out/));
  });

  test('a description of another container is not taken for a missing container', async () => {
    const other = { Id: 'b'.repeat(64), Name: '/other', Config: { Labels: {} }, State: { Status: 'exited' } };
    answerAlways(200, JSON.stringify(other));
    expect(await endingOf(engine.look(id, signal))).toMatchObject(unavailable(/describes another container/));
  });

  test('an answer that is not HTTP is an outage', async () => {
    const foreign = createNetServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await new Promise<void>((resolve) => void foreign.listen(0, '127.0.0.1', resolve));
    const { port } = foreign.address() as AddressInfo;
    const docker = createDocker({ host: `tcp://127.0.0.1:${port}` });
    const elsewhere = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
    expect(await endingOf(elsewhere.look(id, signal))).toMatchObject(unavailable(/Parse Error/));
    foreign.close();
  });

  test.each(['GET', 'DELETE'])('a redirect of a %s is not followed, and does not end the process', async (method) => {
    let connections = 0;
    const elsewhere = createNetServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => void elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    answer = (response) => {
      response.writeHead(301, { location: `http://127.0.0.1:${port}/containers/${id}/json` });
      response.end();
    };
    const ending = await endingOf(method === 'GET' ? engine.look(id, signal) : engine.remove(id, signal));
    expect(ending).toMatchObject({ name: 'EngineRefusalError' });
    // Connections are accepted in the order in which they were begun, so a followed redirect would be counted by now.
    const own = endingOf(createDocker({ host: `tcp://127.0.0.1:${port}` }).ping());
    expect(await own).toBeInstanceOf(Error);
    expect(connections).toBe(1);
    elsewhere.close();
  });
});
