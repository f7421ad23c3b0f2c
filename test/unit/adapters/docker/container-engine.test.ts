import { describe, expect, test } from 'vitest';
import {
  EngineProtocolError,
  EngineRefusalError,
  TimeoutError,
  UnavailableError,
} from '../../../../src/domain/errors.js';
import {
  type Answer,
  answers,
  createEngineWorld,
  EXITED,
  fails,
  gone,
  ID,
  never,
  saysNo,
  state,
  thrownBy,
  TIMEOUT_MS,
} from './engine-world.js';
import { neverAborted } from '../../../support/calls.js';

const WITH_BODY = 'success came with a body, which is not how the engine answers';

const LOOK = ['inspect', ID, {}];
// With the anonymous volumes, which cannot be found later, and never with `force`.
const REMOVE = ['remove', ID, { v: true }];

describe('a look', () => {
  test('a look asks for the given id once and returns what the engine reports', async () => {
    const { engine, requests } = createEngineWorld();
    expect(await engine.look(ID, neverAborted)).toEqual(state);
    expect(requests).toEqual([LOOK]);
  });

  test('a look finds a container gone when the engine does not know it', async () => {
    const { engine } = createEngineWorld({ look: gone });
    expect(await engine.look(ID, neverAborted)).toEqual({ kind: 'gone' });
  });

  test.each<[string, Answer, RegExp]>([
    ['the engine is stopped', fails({ code: 'ENOENT' }, 'connect ENOENT'), /: connect ENOENT$/],
    ['a web server answers that it has no such page', saysNo(404, 'page not found'), /page not found \(HTTP 404\)$/],
    ['the answer is a web page', answers('<html>'), /: the answer is not the engine's: it has no Id$/],
    ['the answer describes another container', answers({ ...EXITED, Id: 'b' }), /another container$/],
  ])('a look is an outage, never "gone", when %s', async (_situation, look, words) => {
    const error = await thrownBy(createEngineWorld({ look }).engine.look(ID, neverAborted));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ dependency: 'docker', message: expect.stringMatching(words) });
    expect(error).toMatchObject({ message: expect.stringContaining(`cannot look at container ${ID}: `) });
  });

  test("a look that the engine calls a bad request is a bug, and its error contains the engine's message", async () => {
    const error = await thrownBy(createEngineWorld({ look: saysNo(400, 'invalid ID') }).engine.look(ID, neverAborted));
    expect(error).toBeInstanceOf(EngineProtocolError);
    expect(error).toMatchObject({
      name: 'EngineProtocolError',
      message: `cannot look at container ${ID}: invalid ID (HTTP 400)`,
      cause: { statusCode: 400 },
    });
  });

  test('a look without an answer ends at its deadline and aborts its request', async () => {
    const { clock, engine, signals } = createEngineWorld({ look: never });
    const error = thrownBy(engine.look(ID, neverAborted));
    await clock.advance(TIMEOUT_MS);
    expect(await error).toBeInstanceOf(UnavailableError);
    expect(await error).toMatchObject({
      dependency: 'docker',
      message: `cannot look at container ${ID}: no answer within ${TIMEOUT_MS} ms`,
      cause: expect.any(TimeoutError),
    });
    expect(await error).toMatchObject({ cause: { dependency: 'docker' } });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

describe('a removal', () => {
  test('a removal is sent once, for the given id, with its volumes and without force', async () => {
    const { engine, requests } = createEngineWorld();
    expect(await engine.remove(ID, neverAborted)).toEqual({ kind: 'gone', ours: true });
    expect(requests).toEqual([REMOVE]);
  });

  test('a removal of a missing container succeeds without a look', async () => {
    const { engine, requests } = createEngineWorld({ remove: gone });
    expect(await engine.remove(ID, neverAborted)).toEqual({ kind: 'gone', ours: false });
    expect(requests).toEqual([REMOVE]);
  });

  test.each([409, 500])('a removal that is refused (%d) is decided by a new look', async (status) => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(status, 'container is running') });
    expect(await engine.remove(ID, neverAborted)).toEqual({
      kind: 'still_there',
      state,
      detail: `container is running (HTTP ${status})`,
    });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test('a removal that is refused because another one was faster succeeds', async () => {
    const { engine } = createEngineWorld({ remove: saysNo(409, 'removal is already in progress'), look: gone });
    expect(await engine.remove(ID, neverAborted)).toEqual({ kind: 'gone', ours: false });
  });

  test('a removal that is refused is an outage when the look after it fails', async () => {
    const { engine } = createEngineWorld({ remove: saysNo(409, 'no'), look: fails({ code: 'ECONNREFUSED' }) });
    const error = await thrownBy(engine.remove(ID, neverAborted));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining('cannot look at container') });
  });

  test.each<[string, Answer]>([
    ['there is no listener', fails({ code: 'ECONNREFUSED' }, 'connect ECONNREFUSED')],
    ['the engine is busy', saysNo(503, 'busy')],
  ])('a removal that never started, because %s, is an outage and needs no look', async (_situation, remove) => {
    const { engine, requests } = createEngineWorld({ remove });
    const error = await thrownBy(engine.remove(ID, neverAborted));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`cannot remove container ${ID}: `),
      cause: expect.any(Error),
    });
    expect(requests).toEqual([REMOVE]);
  });

  test('a removal that the engine calls a bad request is a bug', async () => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(400, 'bad') });
    expect(await thrownBy(engine.remove(ID, neverAborted))).toBeInstanceOf(EngineProtocolError);
    expect(requests).toEqual([REMOVE]);
  });
});

describe('an engine that refuses', () => {
  test.each<[string, Answer]>([
    ['is busy', saysNo(503, 'busy')],
    ['has a broken container', saysNo(500, 'driver failed')],
    ['has no such page', saysNo(404, 'page not found')],
  ])('is told from an engine that does not answer when it %s', async (_situation, look) => {
    expect(await thrownBy(createEngineWorld({ look }).engine.look(ID, neverAborted))).toBeInstanceOf(
      EngineRefusalError,
    );
  });

  test.each<[string, Answer]>([
    ['does not listen', fails({ code: 'ECONNREFUSED' })],
    ['is behind a gateway that answers for it', saysNo(502)],
  ])('is no refusal when it %s', async (_situation, look) => {
    const error = await thrownBy(createEngineWorld({ look }).engine.look(ID, neverAborted));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).not.toBeInstanceOf(EngineRefusalError);
  });
});

describe('an answer that another container is gone', () => {
  const OTHER = 'b2'.repeat(32);
  const another = saysNo(404, `No such container: ${OTHER}`);

  test.each([`No such container: ${OTHER}`, `${ID} needs ${OTHER}: no such container`])(
    'a look is an outage when the answer names another missing container: %s',
    async (text) => {
      const error = await thrownBy(createEngineWorld({ look: saysNo(404, text) }).engine.look(ID, neverAborted));
      expect(error).toBeInstanceOf(UnavailableError);
    },
  );

  test('a removal whose answer names another missing container is decided by a new look', async () => {
    const { engine, requests } = createEngineWorld({ remove: another });
    expect(await engine.remove(ID, neverAborted)).toMatchObject({ kind: 'still_there', state });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test('a removal answered with an outage that names another container is an outage', async () => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(503, `busy with ${OTHER}`) });
    expect(await thrownBy(engine.remove(ID, neverAborted))).toBeInstanceOf(UnavailableError);
    expect(requests).toEqual([REMOVE]);
  });

  test('an answer that names no container is trusted', async () => {
    const { engine } = createEngineWorld({ look: saysNo(404, 'no such container') });
    expect(await engine.look(ID, neverAborted)).toEqual({ kind: 'gone' });
  });
});

describe('a removal whose outcome is unknown', () => {
  const situations: [string, Answer, string][] = [
    ['the connection broke', fails({ code: 'ECONNRESET' }, 'socket hang up'), 'socket hang up'],
    ['a gateway lost the answer', saysNo(504, 'no answer'), 'no answer (HTTP 504)'],
    ['the success has a body, which is not the engine’s', answers(Buffer.from('ok')), WITH_BODY],
    ['the success is JSON, which is not the engine’s', answers({ length: 0 }), WITH_BODY],
  ];

  test.each(situations)(
    'a removal with an unknown outcome succeeds when a look finds the container gone: %s',
    async (_situation, remove) => {
      const { engine, requests } = createEngineWorld({ remove, look: gone });
      expect(await engine.remove(ID, neverAborted)).toEqual({ kind: 'gone', ours: false });
      expect(requests).toEqual([REMOVE, LOOK]);
    },
  );

  test.each(situations)(
    'a removal with an unknown outcome is an outage when a look finds the container: %s',
    async (_situation, remove, detail) => {
      const { engine, requests } = createEngineWorld({ remove });
      const error = await thrownBy(engine.remove(ID, neverAborted));
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject({
        dependency: 'docker',
        message: `the removal of container ${ID} may still be carried out: ${detail}; a second look found it still there`,
      });
      expect(requests).toEqual([REMOVE, LOOK]);
    },
  );

  test('a removal with an unknown outcome is an outage with both failures when the look fails too', async () => {
    const remove = fails({ code: 'ECONNRESET' }, 'socket hang up');
    const { engine } = createEngineWorld({ remove, look: fails({ code: 'ENOENT' }, 'connect ENOENT') });
    const error = await thrownBy(engine.remove(ID, neverAborted));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      dependency: 'docker',
      message:
        `the removal of container ${ID} may still be carried out: socket hang up; ` +
        `then: cannot look at container ${ID}: connect ENOENT`,
      cause: expect.any(UnavailableError),
    });
  });

  test('a removal without an answer is followed by a look with its own deadline', async () => {
    const { clock, engine, requests } = createEngineWorld({ remove: never, look: never });
    const error = thrownBy(engine.remove(ID, neverAborted));
    await clock.advance(TIMEOUT_MS);
    expect(requests).toEqual([REMOVE, LOOK]);
    await clock.advance(TIMEOUT_MS);
    expect(await error).toBeInstanceOf(UnavailableError);
    expect(clock.pendingMs()).toEqual([]);
  });

  test('a removal that is aborted during that look rejects with the reason', async () => {
    const caller = new AbortController();
    const reason = new Error('lease lost');
    const look: Answer = async () => {
      caller.abort(reason);
      throw new Error('aborted');
    };
    const { engine } = createEngineWorld({ remove: fails({ code: 'ECONNRESET' }), look });
    expect(await thrownBy(engine.remove(ID, caller.signal))).toBe(reason);
  });
});

describe.each(['look', 'remove'] as const)('%s', (name) => {
  test.each(['', 'a1', ID.toUpperCase(), `${ID}?force=1`, `../${ID}`, `${ID}\n`])(
    `${name} refuses an id that is not a full one without a request: %j`,
    async (id) => {
      const { engine, requests } = createEngineWorld();
      const error = await thrownBy(engine[name](id, neverAborted));
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({
        message: `not a full container id (64 lower-case hex digits): ${JSON.stringify(id)}`,
      });
      expect(requests).toEqual([]);
    },
  );

  test(`${name} rejects with the reason of an abort during its request, and sends no further one`, async () => {
    const caller = new AbortController();
    const reason = new Error('lease lost');
    const answer: Answer = async () => {
      caller.abort(reason);
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    };
    const { engine, requests } = createEngineWorld({ look: answer, remove: answer });
    expect(await thrownBy(engine[name](ID, caller.signal))).toBe(reason);
    expect(requests).toHaveLength(1);
  });
});
