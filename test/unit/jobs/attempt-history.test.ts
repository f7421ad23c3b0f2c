import { describe, expect, it } from 'vitest';
import { type AttemptHistory, EMPTY_HISTORY, PAST_LIVES } from '../../../src/jobs/delivery.js';
import { crashesOfThisLife, readHistory, sinceReplay, withFailure } from '../../../src/jobs/attempt-history.js';

const AT = '2026-03-01T00:00:00.000Z';
const failed = { attempt: 1, code: 'conflict', message: 'busy', at: AT, traceId: 'trace-1' } as const;
const death = (crashes = 0) => ({ reason: 'conflict: busy', at: AT, crashes });

/** A job that failed once and was made a dead letter. */
const dead = (crashes = 0): AttemptHistory => ({ ...withFailure(EMPTY_HISTORY, failed), death: death(crashes) });

describe('a job that runs', () => {
  it('for the first time has no life behind it', () => {
    expect(sinceReplay(EMPTY_HISTORY, 0)).toEqual(EMPTY_HISTORY);
  });

  it('again after a failure goes on with its life', () => {
    const history = withFailure(EMPTY_HISTORY, failed);
    expect(sinceReplay(history, 3)).toEqual(history);
  });

  it('although it had been a dead letter begins a new life, and remembers the old one', () => {
    expect(sinceReplay(dead(), 0)).toEqual({ ...EMPTY_HISTORY, pastLives: [{ ...death(), attempts: [failed] }] });
  });

  it('goes on with its life if the worker vanished between writing the death down and failing the job', () => {
    expect(sinceReplay(dead(2), 3)).toEqual({ ...dead(2), death: null });
  });

  it('keeps its newest past lives, oldest first', () => {
    let history = EMPTY_HISTORY;
    for (let life = 1; life <= PAST_LIVES + 2; life++) {
      const ended = { ...history, death: { ...death(), reason: `conflict: life ${life}` } };
      history = sinceReplay(ended, 0);
    }
    expect(history.pastLives.map(({ reason }) => reason)).toEqual(
      Array.from({ length: PAST_LIVES }, (_, index) => `conflict: life ${index + 3}`),
    );
  });

  it('is charged with the crashes of this life alone', () => {
    expect(crashesOfThisLife(EMPTY_HISTORY, 4)).toBe(4);
    expect(crashesOfThisLife(sinceReplay(dead(10), 10), 10)).toBe(0);
    expect(crashesOfThisLife(sinceReplay(dead(10), 10), 13)).toBe(3);
  });

  it('is not charged with less than nothing where somebody wrote the counter back', () => {
    expect(crashesOfThisLife(sinceReplay(dead(10), 10), 2)).toBe(0);
  });
});

describe('a stored history', () => {
  it('that breaks whoever reads it counts as none', () => {
    const progress = {
      get counts(): object {
        throw new Error('not for you');
      },
    };
    expect(readHistory(progress)).toEqual(EMPTY_HISTORY);
  });

  it('survives being stored as JSON with death and past lives', () => {
    const history = { ...sinceReplay(dead(1), 1), death: death(1) };
    expect(readHistory(JSON.parse(JSON.stringify(history)))).toEqual(history);
  });

  it('from before there were replays has neither', () => {
    expect(readHistory({ counts: {}, firstFailedAt: null, attempts: [] })).toEqual(EMPTY_HISTORY);
  });

  it.each([
    ['a death that is none', { death: 'yes' }],
    ['a death with a negative count of crashes', { death: { ...death(), crashes: -1 } }],
    ['past lives that are none', { pastLives: [{}] }],
  ])('with %s counts as none', (_what, broken) => {
    expect(readHistory({ ...dead(), ...broken })).toEqual(EMPTY_HISTORY);
  });
});
