import { type Dependency, UnavailableError } from '../../../src/domain/errors.js';
import { type Breaker, type BreakerSettings, createBreaker, type Pass } from '../../../src/circuit-breaker/breaker.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

export interface Guest {
  /** What became of it so far. */
  readonly status: () => 'waiting' | 'in' | 'turned away' | 'told to stop';
  readonly leave: () => void;
  readonly abort: () => void;
}

/** A call that has begun and ends when the test says so. */
export interface OpenCall {
  readonly answer: () => Promise<void>;
  readonly fail: () => Promise<void>;
  readonly break: (thrown: Error) => Promise<void>;
}

export interface BreakerWorld {
  readonly clock: ManualClock;
  readonly breaker: Breaker;
  /** What was reported, in words. */
  readonly told: string[];
  readonly come: () => Promise<Guest>;
  readonly begin: (dependency: Dependency) => OpenCall;
  readonly fails: (dependency: Dependency, times?: number) => Promise<void>;
  readonly answers: (dependency: Dependency) => Promise<void>;
}

export const away = (dependency: Dependency): UnavailableError => new UnavailableError(dependency, 'no answer');

export function createBreakerWorld(settings: Partial<BreakerSettings> = {}): BreakerWorld {
  const clock = createManualClock();
  const told: string[] = [];
  const report = {
    opened: (dependency: Dependency) => void told.push(`${dependency} away`),
    stillOpen: (dependency: Dependency, ms: number) => void told.push(`${dependency} still away after ${ms}`),
    closed: (dependency: Dependency, ms: number) => void told.push(`${dependency} back after ${ms}`),
  };
  const breaker = createBreaker({ clock, report }, settings);

  async function come(): Promise<Guest> {
    const signal = new AbortController();
    let pass: Pass | undefined;
    let status: ReturnType<Guest['status']> = 'waiting';
    breaker.admit(signal.signal).then(
      (given) => {
        pass = given;
        status = given === undefined ? 'turned away' : 'in';
      },
      () => {
        status = 'told to stop';
      },
    );
    await clock.advance(0);
    return {
      status: () => status,
      leave: () => pass?.leave(),
      abort: () => signal.abort(new Error('shutdown')),
    };
  }

  function begin(dependency: Dependency): OpenCall {
    let end: { resolve: () => void; reject: (thrown: Error) => void } | undefined;
    const call = new Promise<void>((resolve, reject) => {
      end = { resolve, reject };
    });
    breaker.watch(dependency, () => call).catch(() => undefined);
    const ending = async (how: () => void): Promise<void> => {
      how();
      await clock.advance(0);
    };
    return {
      answer: () => ending(() => end?.resolve()),
      fail: () => ending(() => end?.reject(away(dependency))),
      break: (thrown) => ending(() => end?.reject(thrown)),
    };
  }

  return {
    clock,
    breaker,
    told,
    come,
    begin,
    fails: async (dependency, times = 1) => {
      for (let i = 0; i < times; i++) await begin(dependency).fail();
    },
    answers: (dependency) => begin(dependency).answer(),
  };
}
