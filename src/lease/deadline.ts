import type { Clock } from '../async/clock.js';

/** The store was asked and did not answer in time. Whether the request took effect, or still will, is unknown. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(question: string, timeoutMs: number) {
    super(`the lease store did not answer the ${question} within ${Math.round(timeoutMs)} ms`);
  }
}

/**
 * The answer, or a rejection with `NoAnswerError` once `timeoutMs` are over. An answer that comes later still settles
 * the promise that was passed in; here it is ignored.
 */
export function answerWithin<T>(clock: Clock, question: string, timeoutMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(new NoAnswerError(question, timeoutMs)));
    answer.then(resolve, reject).finally(cancel);
  });
}
