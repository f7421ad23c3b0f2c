/** Announces that something a test waits for may have changed, so that the test reacts to the change and polls nothing. */
export interface ChangeSignal {
  readonly notify: () => void;
  /**
   * Resolves to what the assertion returned once it holds: it is made now and at each change. Rejects with its last error
   * when it still throws after `withinMs`.
   */
  readonly until: <T>(assertion: () => T, options?: { readonly withinMs?: number }) => Promise<T>;
}

export function createChangeSignal(): ChangeSignal {
  const waiting = new Set<() => void>();
  return {
    notify: () => {
      for (const check of waiting) check();
    },
    until: (assertion, { withinMs = 10_000 } = {}) =>
      new Promise((resolve, reject) => {
        let lastError: unknown;
        const check = (): void => {
          try {
            resolve(assertion());
            end();
          } catch (error) {
            lastError = error;
          }
        };
        const end = (): void => {
          clearTimeout(expiry);
          waiting.delete(check);
        };
        const expiry = setTimeout(() => {
          end();
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the assertion's own error is passed on
          reject(lastError);
        }, withinMs);
        waiting.add(check);
        check();
      }),
  };
}

/** A promise and what resolves it; a second call changes nothing. */
export interface Gate<T> {
  readonly opened: Promise<T>;
  readonly open: (value: T) => void;
}

export function createGate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
