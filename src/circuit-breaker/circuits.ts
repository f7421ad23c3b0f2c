import type { Dependency } from '../domain/errors.js';

/** The breaker's knowledge of one dependency. */
export interface Circuit {
  readonly dependency: Dependency;
  /** Failed calls since it last answered. */
  failures: number;
  /** Undefined while the dependency counts as available. */
  outage: Outage | undefined;
}

interface Outage {
  readonly sinceMs: number;
  /** The generation that began with the outage; an answer to an earlier call does not end the outage. */
  readonly generation: number;
  /** When the outage was last reported. */
  reportedMs: number;
}

interface Circuits {
  /** The dependency's circuit, made when it is first asked for. */
  readonly of: (dependency: Dependency) => Circuit;
  readonly allClosed: () => boolean;
  readonly all: () => readonly Circuit[];
}

export function createCircuits(): Circuits {
  const circuits = new Map<Dependency, Circuit>();
  const all = (): readonly Circuit[] => [...circuits.values()];
  return {
    of: (dependency) => {
      const circuit = circuits.get(dependency) ?? { dependency, failures: 0, outage: undefined };
      circuits.set(dependency, circuit);
      return circuit;
    },
    allClosed: () => all().every(({ outage }) => outage === undefined),
    all,
  };
}
