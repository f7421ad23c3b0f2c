import type { Clock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';

type Question = 'acquire' | 'renew' | 'release';
/** How the store behaves when asked: it may carry the request out or not, now or later, and say so or not. */
export type Behaviour = (carryOut: () => boolean) => Promise<boolean>;

export interface FakeLeaseStore extends LeaseStore {
  /** The next question of this kind is met by `behaviour`; once each, in the order given. */
  readonly next: (question: Question, behaviour: Behaviour) => void;
  /** Every question of this kind is met by `behaviour`; undefined: the store is well again. */
  readonly always: (question: Question, behaviour: Behaviour | undefined) => void;
  /** How often this question was asked. */
  readonly asked: (question: Question) => number;
  /** The most questions of this kind that were open at the same time. */
  readonly mostAtOnce: (question: Question) => number;
  /** Whose the lease is; undefined when it is free or has run out. */
  readonly holder: (gameId: string) => string | undefined;
  readonly remainingMs: (gameId: string) => number;
  /** The lease passes to another token, as after a failover that lost it. */
  readonly take: (gameId: string, token: string, ttlMs: number) => void;
}

/** Out of reach; nothing was carried out. */
export const down: Behaviour = () => Promise.reject(new UnavailableError('redis', 'connection refused'));
/** Carried out, but the answer was lost. */
export const answerLost: Behaviour = (carryOut) => {
  carryOut();
  return Promise.reject(new UnavailableError('redis', 'connection reset'));
};
/** Neither carried out nor answered. */
export const silent: Behaviour = () => new Promise(() => undefined);

interface Entry {
  readonly token: string;
  readonly endMs: number;
}

/** A lease store in memory, on the given clock, that can be told to misbehave. */
export function createFakeLeaseStore(clock: Clock): FakeLeaseStore {
  const entries = new Map<string, Entry>();
  const scripts: Record<Question, Behaviour[]> = { acquire: [], renew: [], release: [] };
  const standing = new Map<Question, Behaviour>();
  const asked: Record<Question, number> = { acquire: 0, renew: 0, release: 0 };
  const open: Record<Question, number> = { acquire: 0, renew: 0, release: 0 };
  const mostOpen: Record<Question, number> = { acquire: 0, renew: 0, release: 0 };

  const live = (gameId: string): Entry | undefined => {
    const entry = entries.get(gameId);
    return entry !== undefined && clock.monotonicMs() < entry.endMs ? entry : undefined;
  };
  const give = (gameId: string, token: string, ttlMs: number): true => {
    entries.set(gameId, { token, endMs: clock.monotonicMs() + ttlMs });
    return true;
  };
  const meet = async (question: Question, carryOut: () => boolean): Promise<boolean> => {
    const behaviour = scripts[question].shift() ?? standing.get(question) ?? (async () => carryOut());
    asked[question] += 1;
    open[question] += 1;
    mostOpen[question] = Math.max(mostOpen[question], open[question]);
    try {
      return await behaviour(carryOut);
    } finally {
      open[question] -= 1;
    }
  };

  return {
    acquire: (gameId, token, ttlMs) => meet('acquire', () => live(gameId) === undefined && give(gameId, token, ttlMs)),
    renew: (gameId, token, ttlMs) => meet('renew', () => live(gameId)?.token === token && give(gameId, token, ttlMs)),
    release: (gameId, token) => meet('release', () => live(gameId)?.token === token && entries.delete(gameId)),
    next: (question, behaviour) => void scripts[question].push(behaviour),
    always: (question, behaviour) => {
      if (behaviour === undefined) standing.delete(question);
      else standing.set(question, behaviour);
    },
    asked: (question) => asked[question],
    mostAtOnce: (question) => mostOpen[question],
    holder: (gameId) => live(gameId)?.token,
    remainingMs: (gameId) => (live(gameId)?.endMs ?? clock.monotonicMs()) - clock.monotonicMs(),
    take: (gameId, token, ttlMs) => void give(gameId, token, ttlMs),
  };
}
