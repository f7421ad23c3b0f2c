/** Runs what it is given, at most so many at a time. The others wait without a time limit, in the order of their arrival. */
export type ConcurrencyLimit = <Answer>(work: () => Promise<Answer>) => Promise<Answer>;

export function createConcurrencyLimit(limit: number): ConcurrencyLimit {
  const waiting: (() => void)[] = [];
  let running = 0;

  /** A caller that waited takes over the place of the one that ended, so nothing is counted then. */
  async function enter(): Promise<void> {
    if (running >= limit) {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return;
    }
    running += 1;
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
