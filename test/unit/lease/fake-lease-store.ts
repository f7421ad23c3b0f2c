import type { Clock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';

type Question = 'acquire' | 'renew' | 'release';
/** What the store does with a request: it may carry the request out or not, at once or later, and answer or not. */
export type Behaviour = (carryOut: () => boolean) => Promise<boolean>;

export interface FakeLeaseStore extends LeaseStore {
  /** Sets the behaviour for one request of this kind; several calls apply in order. */
  readonly next: (question: Question, behaviour: Behaviour) => void;
  /** Sets the behaviour for all requests of this kind; undefined restores the usual one. */
  readonly always: (question: Question, behaviour: Behaviour | undefined) => void;
  /** The number of requests of this kind. */
  readonly asked: (question: Question) => number;
  /** The highest number of requests of this kind that were open at the same time. */
  readonly mostAtOnce: (question: Question) => number;
  /** The token that holds the lease; undefined when it is free or has expired. */
  readonly holder: (gameId: string) => string | undefined;
  readonly remainingMs: (gameId: string) => number;
  /** Gives the lease to another token, as after a failover that lost it. */
  readonly take: (gameId: string, token: string, ttlMs: number) => void;
}

/** The store cannot be reached; the request is not carried out. */
export const down: Behaviour = () => Promise.reject(new UnavailableError('redis', 'connection refused'));
/** The request is carried out, but its answer is lost. */
export const answerLost: Behaviour = (carryOut) => {
  carryOut();
  return Promise.reject(new UnavailableError('redis', 'connection reset'));
};
/** The request is neither carried out nor answered. */
export const silent: Behaviour = () => new Promise(() => undefined);

interface Entry {
  readonly token: string;
  readonly endMs: number;
}

/** A lease store in memory on the given clock; its behaviour can be changed. */
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
