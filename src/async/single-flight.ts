interface Running<Answer> {
  readonly first: Promise<Answer>;
  /** What those get who came while it ran; asked once for all of them. */
  others?: Promise<Answer>;
}

/** The first caller's work on a key, or for those who come while that goes on, what can be said once it is done. */
type Join<Answer> = (key: string, first: () => Promise<Answer>, afterwards: () => Promise<Answer>) => Promise<Answer>;

/** So that a thousand who ask for the same at the same time ask the store once, and not each over a connection. */
export function createJoin<Answer>(): Join<Answer> {
  const running = new Map<string, Running<Answer>>();
  return async (key, first, afterwards) => {
    const found = running.get(key);
    if (found !== undefined) return (found.others ??= found.first.then(afterwards));
    const own: Running<Answer> = { first: first() };
    running.set(key, own);
    try {
      return await own.first;
    } finally {
      running.delete(key);
    }
  };
}
