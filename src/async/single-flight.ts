interface Flight<Answer> {
  readonly first: Promise<Answer>;
  /** The answer of all callers that came while the first one ran; asked for once. */
  others?: Promise<Answer>;
}

/** Runs the first caller's work for a key; for callers that come while it runs, `afterwards` once it is done. */
type SingleFlight<Answer> = (
  key: string,
  first: () => Promise<Answer>,
  afterwards: () => Promise<Answer>,
) => Promise<Answer>;

/** Concurrent calls with the same key share one request, instead of one connection each (Go's singleflight). */
export function createSingleFlight<Answer>(): SingleFlight<Answer> {
  const running = new Map<string, Flight<Answer>>();
  return async (key, first, afterwards) => {
    const found = running.get(key);
    if (found !== undefined) return (found.others ??= found.first.then(afterwards));
    const own: Flight<Answer> = { first: first() };
    running.set(key, own);
    try {
      return await own.first;
    } finally {
      running.delete(key);
    }
  };
}
