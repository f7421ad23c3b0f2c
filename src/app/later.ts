import type { UnavailableError } from '../domain/errors.js';

/** Something whose members are asynchronous functions, before it is there. */
export interface Later<T> {
  /** Until it has arrived, every function of it rejects with the given error; `known` members are there at once. */
  readonly value: T;
  readonly arrive: (value: T) => void;
}

/** So that a server can take requests, and answer them, before what it answers from has been reached. */
export function createLater<T extends object>(known: Partial<T>, unavailable: () => UnavailableError): Later<T> {
  let arrived: T | undefined;
  const call = async (name: string | symbol, args: readonly unknown[]): Promise<unknown> => {
    if (arrived === undefined) throw unavailable();
    const member: unknown = Reflect.get(arrived, name);
    if (typeof member !== 'function') throw new TypeError(`${String(name)} is no function`);
    return Reflect.apply(member, arrived, args);
  };
  const value = new Proxy(known, {
    get: (target, name) => {
      if (name in target) return Reflect.get(target, name);
      // Whoever awaits it must not take it for a promise.
      return name === 'then' ? undefined : (...args: readonly unknown[]) => call(name, args);
    },
  });
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy answers for every member of T that is an asynchronous function
    value: value as T,
    arrive: (there) => {
      arrived = there;
    },
  };
}
