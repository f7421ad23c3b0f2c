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
  calm,
  createEngineWorld,
  EXITED,
  fails,
  gone,
  ID,
  never,
  saysNo,
  state,
  TIMEOUT_MS,
} from './engine-world.js';

const WITH_BODY = 'success came with a body, which is not how the engine answers';

const LOOK = ['inspect', ID, {}];
// The anonymous volumes, which cannot be found again later, and never `force`.
const REMOVE = ['remove', ID, { v: true }];

const thrownBy = (ending: Promise<unknown>): Promise<unknown> =>
  ending.then(
    (value) => expect.unreachable(`resolved to ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

describe('a look', () => {
  test('asks for this id once and tells what the engine says', async () => {
    const { engine, requests } = createEngineWorld();
    expect(await engine.look(ID, calm)).toEqual(state);
    expect(requests).toEqual([LOOK]);
  });

  test('finds gone what the engine itself knows no more', async () => {
    const { engine } = createEngineWorld({ look: gone });
    expect(await engine.look(ID, calm)).toEqual({ kind: 'gone' });
  });

  test.each<[string, Answer, RegExp]>([
    ['the engine is stopped', fails({ code: 'ENOENT' }, 'connect ENOENT'), /: connect ENOENT$/],
    ['a web server answers that it has no such page', saysNo(404, 'page not found'), /page not found \(HTTP 404\)$/],
    ['the answer is a web page', answers('<html>'), /: the answer is not the engine's: it has no Id$/],
    ['the answer tells of another container', answers({ ...EXITED, Id: 'b' }), /another container$/],
  ])('is an outage, never "gone", when %s', async (_situation, look, words) => {
    const error = await thrownBy(createEngineWorld({ look }).engine.look(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ dependency: 'docker', message: expect.stringMatching(words) });
    expect(error).toMatchObject({ message: expect.stringContaining(`cannot look at container ${ID}: `) });
  });

  test('that the engine calls a bad request is a bug, and says what the engine said', async () => {
    const error = await thrownBy(createEngineWorld({ look: saysNo(400, 'invalid ID') }).engine.look(ID, calm));
    expect(error).toBeInstanceOf(EngineProtocolError);
    expect(error).toMatchObject({
      name: 'EngineProtocolError',
      message: `cannot look at container ${ID}: invalid ID (HTTP 400)`,
      cause: { statusCode: 400 },
    });
  });

  test('that is never answered ends at its deadline, and its request is given up', async () => {
    const { clock, engine, signals } = createEngineWorld({ look: never });
    const error = thrownBy(engine.look(ID, calm));
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
  test('asks once, for this id, with its volumes and without force', async () => {
    const { engine, requests } = createEngineWorld();
    expect(await engine.remove(ID, calm)).toEqual({ kind: 'gone', ours: true });
    expect(requests).toEqual([REMOVE]);
  });

  test('of what is gone already is done, without a look', async () => {
    const { engine, requests } = createEngineWorld({ remove: gone });
    expect(await engine.remove(ID, calm)).toEqual({ kind: 'gone', ours: false });
    expect(requests).toEqual([REMOVE]);
  });

  test.each([409, 500])('that is refused (%d) is judged by a fresh look', async (status) => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(status, 'container is running') });
    expect(await engine.remove(ID, calm)).toEqual({
      kind: 'still_there',
      state,
      detail: `container is running (HTTP ${status})`,
    });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test('that is refused because another one was faster is done', async () => {
    const { engine } = createEngineWorld({ remove: saysNo(409, 'removal is already in progress'), look: gone });
    expect(await engine.remove(ID, calm)).toEqual({ kind: 'gone', ours: false });
  });

  test('that is refused and cannot be looked at is an outage', async () => {
    const { engine } = createEngineWorld({ remove: saysNo(409, 'no'), look: fails({ code: 'ECONNREFUSED' }) });
    const error = await thrownBy(engine.remove(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining('cannot look at container') });
  });

  test.each<[string, Answer]>([
    ['no listener', fails({ code: 'ECONNREFUSED' }, 'connect ECONNREFUSED')],
    ['the engine is busy', saysNo(503, 'busy')],
  ])('that never began, because %s, is an outage and needs no look', async (_situation, remove) => {
    const { engine, requests } = createEngineWorld({ remove });
    const error = await thrownBy(engine.remove(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`cannot remove container ${ID}: `),
      cause: expect.any(Error),
    });
    expect(requests).toEqual([REMOVE]);
  });

  test('that the engine calls a bad request is a bug', async () => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(400, 'bad') });
    expect(await thrownBy(engine.remove(ID, calm))).toBeInstanceOf(EngineProtocolError);
    expect(requests).toEqual([REMOVE]);
  });
});

describe('an engine that refuses', () => {
  test.each<[string, Answer]>([
    ['is busy', saysNo(503, 'busy')],
    ['has a broken container', saysNo(500, 'driver failed')],
    ['has no such page', saysNo(404, 'page not found')],
  ])('is told from an engine that does not answer when it %s', async (_situation, look) => {
    expect(await thrownBy(createEngineWorld({ look }).engine.look(ID, calm))).toBeInstanceOf(EngineRefusalError);
  });

  test.each<[string, Answer]>([
    ['does not listen', fails({ code: 'ECONNREFUSED' })],
    ['is behind a gateway that answers for it', saysNo(502)],
  ])('is no refusal when it %s', async (_situation, look) => {
    const error = await thrownBy(createEngineWorld({ look }).engine.look(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).not.toBeInstanceOf(EngineRefusalError);
  });
});

describe('the list of labelled containers', () => {
  const listed = { Id: ID, State: 'exited', Labels: { 'com.galaxy.game_id': 'game-1' } };

  test('asks for containers in any state, by the label', async () => {
    const { engine, requests } = createEngineWorld({ list: answers([listed]) });
    expect(await engine.labelled('game-1', calm)).toEqual([{ containerId: ID, status: 'exited', isActive: false }]);
    expect(requests).toEqual([['list', '', { all: true, filters: { label: ['com.galaxy.game_id=game-1'] } }]]);
  });

  test('is an outage when the answer is not the engine’s', async () => {
    const error = await thrownBy(createEngineWorld({ list: answers('<html>') }).engine.labelled('game-1', calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining('cannot list the containers with the label') });
  });

  test('is an outage when the engine does not answer', async () => {
    const { engine } = createEngineWorld({ list: fails({ code: 'ENOENT' }, 'connect ENOENT') });
    expect(await thrownBy(engine.labelled('game-1', calm))).toMatchObject({
      message: 'cannot list the containers with the label of this game: connect ENOENT',
    });
  });
});

describe('an answer that another container is gone', () => {
  const OTHER = 'b2'.repeat(32);
  const another = saysNo(404, `No such container: ${OTHER}`);

  test.each([`No such container: ${OTHER}`, `${ID} needs ${OTHER}: no such container`])(
    'is an outage to a look, since ours may be there: %s',
    async (text) => {
      const error = await thrownBy(createEngineWorld({ look: saysNo(404, text) }).engine.look(ID, calm));
      expect(error).toBeInstanceOf(UnavailableError);
    },
  );

  test('refuses a removal, and a fresh look decides', async () => {
    const { engine, requests } = createEngineWorld({ remove: another });
    expect(await engine.remove(ID, calm)).toMatchObject({ kind: 'still_there', state });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test('is not read into an outage that happens to name another one', async () => {
    const { engine, requests } = createEngineWorld({ remove: saysNo(503, `busy with ${OTHER}`) });
    expect(await thrownBy(engine.remove(ID, calm))).toBeInstanceOf(UnavailableError);
    expect(requests).toEqual([REMOVE]);
  });

  test('is not read into one that names no container at all', async () => {
    const { engine } = createEngineWorld({ look: saysNo(404, 'no such container') });
    expect(await engine.look(ID, calm)).toEqual({ kind: 'gone' });
  });
});

describe('a removal whose outcome is unknown', () => {
  const situations: [string, Answer, string][] = [
    ['the connection broke', fails({ code: 'ECONNRESET' }, 'socket hang up'), 'socket hang up'],
    ['a gateway lost the answer', saysNo(504, 'no answer'), 'no answer (HTTP 504)'],
    ['the success has a body, which is not the engine’s', answers(Buffer.from('ok')), WITH_BODY],
    ['the success is JSON, which is not the engine’s', answers({ length: 0 }), WITH_BODY],
  ];

  test.each(situations)('is done if a look finds it gone: %s', async (_situation, remove) => {
    const { engine, requests } = createEngineWorld({ remove, look: gone });
    expect(await engine.remove(ID, calm)).toEqual({ kind: 'gone', ours: false });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test.each(situations)('is an outage if a look finds it there: %s', async (_situation, remove, detail) => {
    const { engine, requests } = createEngineWorld({ remove });
    const error = await thrownBy(engine.remove(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      dependency: 'docker',
      message: `the removal of container ${ID} may still be carried out: ${detail}; a second look found it still there`,
    });
    expect(requests).toEqual([REMOVE, LOOK]);
  });

  test('is an outage that names both failures if the look fails too', async () => {
    const remove = fails({ code: 'ECONNRESET' }, 'socket hang up');
    const { engine } = createEngineWorld({ remove, look: fails({ code: 'ENOENT' }, 'connect ENOENT') });
    const error = await thrownBy(engine.remove(ID, calm));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      dependency: 'docker',
      message:
        `the removal of container ${ID} may still be carried out: socket hang up; ` +
        `then: cannot look at container ${ID}: connect ENOENT`,
      cause: expect.any(UnavailableError),
    });
  });

  test('is looked into after its deadline, and the look has a deadline of its own', async () => {
    const { clock, engine, requests } = createEngineWorld({ remove: never, look: never });
    const error = thrownBy(engine.remove(ID, calm));
    await clock.advance(TIMEOUT_MS);
    expect(requests).toEqual([REMOVE, LOOK]);
    await clock.advance(TIMEOUT_MS);
    expect(await error).toBeInstanceOf(UnavailableError);
    expect(clock.pendingMs()).toEqual([]);
  });

  test('rejects with the reason of the abort when it is aborted during that look', async () => {
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
    'takes no id but a full one, and asks the engine nothing for %j',
    async (id) => {
      const { engine, requests } = createEngineWorld();
      const error = await thrownBy(engine[name](id, calm));
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({
        message: `not a full container id (64 lower-case hex digits): ${JSON.stringify(id)}`,
      });
      expect(requests).toEqual([]);
    },
  );

  test('rejects with the reason of an abort that comes while the engine is asked, and asks no more', async () => {
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
