import type { Dependency } from '../domain/errors.js';

/** What is known of one dependency. */
export interface Circuit {
  readonly dependency: Dependency;
  /** Failed calls since it last answered. */
  failures: number;
  /** Undefined while it counts as well. */
  away: Outage | undefined;
}

export interface Outage {
  readonly sinceMs: number;
  /** The breaker's era that began when it was found away; an answer to an earlier call does not end it. */
  readonly era: number;
  /** When somebody was last told of it. */
  toldMs: number;
}

interface Circuits {
  /** The dependency's circuit, made when it is first asked for. */
  readonly of: (dependency: Dependency) => Circuit;
  readonly noneAway: () => boolean;
  readonly all: () => readonly Circuit[];
}

export function createCircuits(): Circuits {
  const circuits = new Map<Dependency, Circuit>();
  const all = (): readonly Circuit[] => [...circuits.values()];
  return {
    of: (dependency) => {
      const circuit = circuits.get(dependency) ?? { dependency, failures: 0, away: undefined };
      circuits.set(dependency, circuit);
      return circuit;
    },
    noneAway: () => all().every(({ away }) => away === undefined),
    all,
  };
}
