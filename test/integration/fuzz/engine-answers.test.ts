/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocker } from '../../../src/adapters/docker/connection.js';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import { UnavailableError, EngineProtocolError } from '../../../src/domain/errors.js';
import { createManualClock } from '../../support/manual-clock.js';
import { fuzz, UNHURRIED } from '../../unit/fuzz/fuzzing.js';
import { ID, OTHER_ID, type RawAnswer, rawAnswer, type RawEngine, startRawEngine } from './engine-answers.js';

const TIMEOUT_MS = 5_000;
const { signal } = new AbortController();

const clock = createManualClock();
let raw: RawEngine;
let engine: ContainerEngine;
beforeAll(async () => {
  raw = await startRawEngine();
  const docker = createDocker({ host: `unix://${raw.socketPath}` });
  engine = createContainerEngine({ docker, clock, timeoutMs: TIMEOUT_MS });
});
afterAll(() => raw.close());

type Ending<T> = T | UnavailableError | EngineProtocolError;

async function settled<T>(call: Promise<T>): Promise<Ending<T>> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof EngineProtocolError) return error;
    throw error;
  }
}

/**
 * What a call came to: one of the port's answers, or one of the two errors that it may reject with. Time moves on by its
 * deadline whenever all has been said and it has not settled.
 */
async function endingOf<T extends object>(call: Promise<T>): Promise<Ending<T>> {
  const ending = settled(call);
  let over = false;
  const noteEnd = ending.finally(() => (over = true)).catch(() => undefined);
  for (let asked = 0; ; asked = raw.asked().length) {
    await Promise.race([noteEnd, raw.quiet(asked)]);
    // What has arrived is read first.
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    if (over) return ending;
    await clock.advance(TIMEOUT_MS);
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Reflect.get(value, name) : undefined;

/** The engine's own word that our container is not there, or that its name is all that is left of it. */
function saysGone({ status, body }: RawAnswer): boolean {
  const answer = parsed(body);
  const message = fieldOf(answer, 'message');
  if (status === 404) return typeof message === 'string' && /no such container/i.test(message) && !namesOther(message);
  const named = fieldOf(answer, 'Name');
  const other = fieldOf(answer, 'Id');
  return status === 200 && typeof other === 'string' && other !== ID && (named === `/${ID}` || named === ID);
}

const namesOther = (message: string): boolean => !message.includes(ID) && message.includes(OTHER_ID);

const saysRemoved = ({ status, body }: RawAnswer): boolean => status === 204 || (status === 200 && body === '');

const kindOf = (ending: object): unknown => ('kind' in ending ? ending.kind : undefined);

describe('any answer in the place of the engine', () => {
  it('a look is gone only when the engine says so, and idle only for a body of this container', UNHURRIED, async () => {
    await fc.assert(
      fc.asyncProperty(rawAnswer, async (answer) => {
        raw.answer([answer]);
        const ending = await endingOf(engine.look(ID, signal));
        expect(raw.asked()).toEqual([`GET /containers/${ID}/json HTTP/1.1`]);
        if (kindOf(ending) === 'gone') expect(saysGone(answer)).toBe(true);
        if (!('kind' in ending) || ending.kind !== 'present') return;
        const body = parsed(answer.body);
        expect([answer.status, fieldOf(body, 'Id')]).toEqual([200, ID]);
        const state = fieldOf(body, 'State');
        const isBusy = ['Running', 'Paused', 'Restarting'].some((flag) => fieldOf(state, flag) === true);
        if (ending.activity === 'idle') expect(isBusy).toBe(false);
      }),
      fuzz(250),
    );
  });

  it(
    'a removal is asked for once, by the full id and without force, and done only when the engine says so',
    UNHURRIED,
    async () => {
      await fc.assert(
        fc.asyncProperty(rawAnswer, rawAnswer, async (first, second) => {
          raw.answer([first, second]);
          const ending = await endingOf(engine.remove(ID, signal));
          const [removal, ...looks] = raw.asked();
          expect(removal).toBe(`DELETE /containers/${ID}?v=true HTTP/1.1`);
          expect(looks.filter((line) => line !== `GET /containers/${ID}/json HTTP/1.1`)).toEqual([]);
          expect(looks.length).toBeLessThanOrEqual(1);
          if (kindOf(ending) === 'gone') {
            const itself = saysRemoved(first) || (first.status === 404 && saysGone(first));
            expect(looks.length === 0 ? itself : saysGone(second)).toBe(true);
          }
          if (kindOf(ending) === 'still_there') expect(looks).toHaveLength(1);
        }),
        fuzz(250),
      );
    },
  );
});

describe('found by the properties above', () => {
  const answered = (over: Partial<RawAnswer>): RawAnswer => ({
    status: 500,
    headers: [],
    body: '',
    framing: 'length',
    ...over,
  });
  const otherIsGone = answered({ status: 404, body: `{"message":"No such container: ${OTHER_ID}"}` });

  // Each of the first four once ended the process.
  it.each<[string, RawAnswer]>([
    ['a redirect to an address that is not of the web', answered({ status: 302, headers: ['Location: mailto:a'] })],
    ['a redirect to an invalid address', answered({ status: 301, headers: ['Location: http://['] })],
    ['a message without a text', answered({ body: '{"message":{"toString":1}}' })],
    ['a refusal without a text', answered({ status: 404, body: '{"toString":1}' })],
    ['the absence of another container', otherIsGone],
  ])('a look rejects as unavailable after %s', async (_what, answer) => {
    raw.answer([answer]);
    expect(await endingOf(engine.look(ID, signal))).toBeInstanceOf(UnavailableError);
  });

  it('the absence of another container is not the removal of this one', async () => {
    raw.answer([otherIsGone, answered({ status: 404, body: `{"message":"No such container: ${ID}"}` })]);
    expect(await endingOf(engine.remove(ID, signal))).toEqual({ kind: 'gone', ours: false });
    expect(raw.asked()).toHaveLength(2);
    raw.answer([otherIsGone, otherIsGone]);
    expect(await endingOf(engine.remove(ID, signal))).toBeInstanceOf(UnavailableError);
  });
});
