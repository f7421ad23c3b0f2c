import { setMaxListeners } from 'node:events';

export type Call<Answer> = (signal: AbortSignal) => Promise<Answer>;

/**
 * Runs the call with a signal that is aborted by either of two. `AbortSignal.any` would keep an entry for each call in
 * a signal that lasts as long as the process.
 */
export async function withEither<Answer>(one: AbortSignal, lasting: AbortSignal, call: Call<Answer>): Promise<Answer> {
  const both = new AbortController();
  const pairs = [one, lasting].map((signal) => ({ signal, abort: (): void => both.abort(signal.reason) }));
  for (const { signal, abort } of pairs) {
    if (signal.aborted) abort();
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
  }
  try {
    return await call(both.signal);
  } finally {
    for (const { signal, abort } of pairs) signal.removeEventListener('abort', abort);
  }
}
