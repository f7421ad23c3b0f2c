import { duration } from './rules.mjs';
import { SetUpError } from './set-up-error.mjs';

/** One line for the person who waits; on stderr, because stdout belongs to what is run in the end. */
export const say = (line) => void process.stderr.write(`${line}\n`);

/**
 * What a person should read about an error: a stack only where it is a bug.
 * @param {unknown} error
 * @returns {string}
 */
export const explain = (error) => {
  if (error instanceof SetUpError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

/**
 * Does one step and says in one line what came of it and how long it took.
 * @template T
 * @param {string} name
 * @param {(announce: (what: string) => void) => Promise<{ said: string, value?: T }>} work calls `announce` before
 *   something that takes long
 * @returns {Promise<T | undefined>}
 */
export const step = async (name, work) => {
  const startedMs = performance.now();
  const { said, value } = await work((what) => say(`${name}: ${what} ...`));
  say(`${name}: ${said} (${duration(performance.now() - startedMs)})`);
  return value;
};
