/** Who waits, in the order of arrival. */
export interface PermitQueue<Call> {
  /** Resolves to what it is called with, or to undefined once the room is shut; rejects with the signal's reason. */
  readonly wait: (signal: AbortSignal) => Promise<Call | undefined>;
  readonly isEmpty: () => boolean;
  readonly callFirst: (call: Call) => void;
  readonly callAll: (call: Call) => void;
  /** Sends everybody away, and whoever comes from now on. */
  readonly shut: () => void;
}

export function createPermitQueue<Call>(): PermitQueue<Call> {
  const waiting = new Set<(call: Call | undefined) => void>();
  let isShut = false;

  const callEach = (call: Call | undefined): void => {
    for (const called of waiting) called(call);
  };

  return {
    wait: (signal) =>
      new Promise((resolve, reject) => {
        if (isShut) {
          resolve(undefined);
          return;
        }
        const called = (call: Call | undefined): void => {
          waiting.delete(called);
          signal.removeEventListener('abort', abort);
          resolve(call);
        };
        const abort = (): void => {
          waiting.delete(called);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(called);
      }),
    isEmpty: () => waiting.size === 0,
    callFirst: (call) => {
      for (const called of waiting) {
        called(call);
        return;
      }
    },
    callAll: callEach,
    shut: () => {
      isShut = true;
      callEach(undefined);
    },
  };
}
