/** Jobs that wait for a permit, in the order of their arrival. */
export interface PermitQueue<Permit> {
  /** Resolves to the permit, or to undefined once the queue is shut; rejects with the signal's reason. */
  readonly wait: (signal: AbortSignal) => Promise<Permit | undefined>;
  readonly isEmpty: () => boolean;
  readonly admitFirst: (permit: Permit) => void;
  readonly admitAll: (permit: Permit) => void;
  /** Ends all waits without a permit, and each later wait at once. */
  readonly shut: () => void;
}

export function createPermitQueue<Permit>(): PermitQueue<Permit> {
  const waiting = new Set<(permit: Permit | undefined) => void>();
  let isShut = false;

  const endEach = (permit: Permit | undefined): void => {
    for (const end of waiting) end(permit);
  };

  return {
    wait: (signal) =>
      new Promise((resolve, reject) => {
        if (isShut) {
          resolve(undefined);
          return;
        }
        const end = (permit: Permit | undefined): void => {
          waiting.delete(end);
          signal.removeEventListener('abort', abort);
          resolve(permit);
        };
        const abort = (): void => {
          waiting.delete(end);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(end);
      }),
    isEmpty: () => waiting.size === 0,
    admitFirst: (permit) => {
      for (const end of waiting) {
        end(permit);
        return;
      }
    },
    admitAll: endEach,
    shut: () => {
      isShut = true;
      endEach(undefined);
    },
  };
}
