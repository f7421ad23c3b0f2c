import { type Dependency, UnavailableError } from '../../../src/domain/errors.js';
import { type Breaker, type BreakerSettings, createBreaker } from '../../../src/circuit-breaker/breaker.js';
import type { Permit } from '../../../src/circuit-breaker/job-gate.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

/** A job that has asked the breaker for a permit. */
export interface ClaimedJob {
  readonly status: () => 'waiting' | 'running' | 'not admitted' | 'aborted';
  readonly end: () => void;
  readonly abort: () => void;
}

/** A call that has begun; the test ends it. */
export interface OpenCall {
  readonly answer: () => Promise<void>;
  readonly fail: () => Promise<void>;
  readonly break: (thrown: Error) => Promise<void>;
}

export interface BreakerWorld {
  readonly clock: ManualClock;
  readonly breaker: Breaker;
  /** The breaker's reports, in words. */
  readonly reports: string[];
  readonly claimJob: () => Promise<ClaimedJob>;
  readonly begin: (dependency: Dependency) => OpenCall;
  readonly fails: (dependency: Dependency, times?: number) => Promise<void>;
  readonly answers: (dependency: Dependency) => Promise<void>;
}

export const unavailable = (dependency: Dependency): UnavailableError => new UnavailableError(dependency, 'no answer');

export function createBreakerWorld(settings: Partial<BreakerSettings> = {}): BreakerWorld {
  const clock = createManualClock();
  const reports: string[] = [];
  const report = {
    opened: (dependency: Dependency) => void reports.push(`${dependency} unavailable`),
    stillOpen: (dependency: Dependency, ms: number) => void reports.push(`${dependency} still unavailable after ${ms}`),
    closed: (dependency: Dependency, ms: number) => void reports.push(`${dependency} answers after ${ms}`),
  };
  const breaker = createBreaker({ clock, report }, settings);

  async function claimJob(): Promise<ClaimedJob> {
    const signal = new AbortController();
    let permit: Permit | undefined;
    let status: ReturnType<ClaimedJob['status']> = 'waiting';
    breaker.admit(signal.signal).then(
      (given) => {
        permit = given;
        status = given === undefined ? 'not admitted' : 'running';
      },
      () => {
        status = 'aborted';
      },
    );
    await clock.advance(0);
    return {
      status: () => status,
      end: () => permit?.release(),
      abort: () => signal.abort(new Error('shutdown')),
    };
  }

  function begin(dependency: Dependency): OpenCall {
    const call = breaker.startCall(dependency);
    let isOver = false;
    const end = async (outcome: () => void): Promise<void> => {
      if (!isOver) outcome();
      isOver = true;
      await clock.advance(0);
    };
    return {
      answer: () => end(call.answered),
      fail: () => end(() => call.failed(unavailable(dependency))),
      break: (thrown) => end(() => call.failed(thrown)),
    };
  }

  return {
    clock,
    breaker,
    reports,
    claimJob,
    begin,
    fails: async (dependency, times = 1) => {
      for (let i = 0; i < times; i++) await begin(dependency).fail();
    },
    answers: (dependency) => begin(dependency).answer(),
  };
}
