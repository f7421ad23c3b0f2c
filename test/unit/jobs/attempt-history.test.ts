import { describe, expect, it } from 'vitest';
import { type AttemptHistory, EMPTY_HISTORY, PREVIOUS_RUNS } from '../../../src/jobs/delivery.js';
import { crashesSinceReplay, readHistory, sinceReplay, withFailure } from '../../../src/jobs/attempt-history.js';

const AT = '2026-03-01T00:00:00.000Z';
const failed = { attempt: 1, code: 'conflict', message: 'busy', at: AT, traceId: 'trace-1' } as const;
const death = (crashes = 0) => ({ reason: 'conflict: busy', at: AT, crashes });

/** A job that failed once and was made a dead letter. */
const dead = (crashes = 0): AttemptHistory => ({ ...withFailure(EMPTY_HISTORY, failed), death: death(crashes) });

describe('sinceReplay', () => {
  it('the history is empty on the first run', () => {
    expect(sinceReplay(EMPTY_HISTORY, 0)).toEqual(EMPTY_HISTORY);
  });

  it('the history continues after a failed try', () => {
    const history = withFailure(EMPTY_HISTORY, failed);
    expect(sinceReplay(history, 3)).toEqual(history);
  });

  it('the history starts again after a replay, and keeps the previous run', () => {
    expect(sinceReplay(dead(), 0)).toEqual({ ...EMPTY_HISTORY, pastLives: [{ ...death(), attempts: [failed] }] });
  });

  it('the history continues when the worker vanished between writing the end of the run and failing the job', () => {
    expect(sinceReplay(dead(2), 3)).toEqual({ ...dead(2), death: null });
  });

  it('the history keeps the newest previous runs, oldest first', () => {
    let history = EMPTY_HISTORY;
    for (let run = 1; run <= PREVIOUS_RUNS + 2; run++) {
      const ended = { ...history, death: { ...death(), reason: `conflict: run ${run}` } };
      history = sinceReplay(ended, 0);
    }
    expect(history.pastLives.map(({ reason }) => reason)).toEqual(
      Array.from({ length: PREVIOUS_RUNS }, (_, index) => `conflict: run ${index + 3}`),
    );
  });

  it('only the crashes since the last replay are counted', () => {
    expect(crashesSinceReplay(EMPTY_HISTORY, 4)).toBe(4);
    expect(crashesSinceReplay(sinceReplay(dead(10), 10), 10)).toBe(0);
    expect(crashesSinceReplay(sinceReplay(dead(10), 10), 13)).toBe(3);
  });

  it('a counter that was set back gives no negative crashes', () => {
    expect(crashesSinceReplay(sinceReplay(dead(10), 10), 2)).toBe(0);
  });
});

describe('withFailure', () => {
  it('a first failure in the future is replaced, because it would delay the end of an outage for ever', () => {
    const history = readHistory({ counts: {}, firstFailedAt: '9999-12-31T23:59:59Z', attempts: [] });
    expect(withFailure(history, failed).firstFailedAt).toBe(AT);
  });

  it('a history keeps the newest twenty tries and all counts', () => {
    let history = EMPTY_HISTORY;
    for (let attempt = 1; attempt <= 25; attempt++) history = withFailure(history, { ...failed, attempt });
    expect(history.counts).toEqual({ conflict: 25 });
    expect(history.attempts.map((tried) => tried.attempt)).toEqual(Array.from({ length: 20 }, (_, i) => i + 6));
  });
});

describe('a stored history', () => {
  it.each([0, 100, null, 'half', { percent: 50 }, { counts: { bogus: 1 } }])(
    'a stored progress of %j counts as an empty history',
    (progress) => {
      expect(readHistory(progress)).toEqual(EMPTY_HISTORY);
    },
  );

  it('a stored history that throws when it is read counts as empty', () => {
    const progress = {
      get counts(): object {
        throw new Error('not for you');
      },
    };
    expect(readHistory(progress)).toEqual(EMPTY_HISTORY);
  });

  it('a stored history is read back from JSON with the end of its run and its previous runs', () => {
    const history = { ...sinceReplay(dead(1), 1), death: death(1) };
    expect(readHistory(JSON.parse(JSON.stringify(history)))).toEqual(history);
  });

  it('a stored history from before replays is read without them', () => {
    expect(readHistory({ counts: {}, firstFailedAt: null, attempts: [] })).toEqual(EMPTY_HISTORY);
  });

  it.each([
    ['an end of the run that is text', { death: 'yes' }],
    ['an end of the run with a negative count of crashes', { death: { ...death(), crashes: -1 } }],
    ['a previous run without fields', { pastLives: [{}] }],
  ])('a stored history with %s counts as empty', (_what, broken) => {
    expect(readHistory({ ...dead(), ...broken })).toEqual(EMPTY_HISTORY);
  });
});
