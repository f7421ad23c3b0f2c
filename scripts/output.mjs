import { duration } from './rules.mjs';
import { SetUpError } from './set-up-error.mjs';

/** Prints one line to stderr: stdout belongs to the program that the task runs. */
export const printLine = (line) => void process.stderr.write(`${line}\n`);

/**
 * The text to show for an error; it includes the stack only when the error is a bug.
 * @param {unknown} error
 * @returns {string}
 */
export const explain = (error) => {
  if (error instanceof SetUpError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

/**
 * Runs one step, then prints one line with its result and its duration.
 * @template T
 * @param {string} name
 * @param {(announce: (what: string) => void) => Promise<{ summary: string, value?: T }>} work calls `announce` before
 *   an action that takes long
 * @returns {Promise<T | undefined>}
 */
export const runStep = async (name, work) => {
  const startedMs = performance.now();
  const { summary, value } = await work((what) => printLine(`${name}: ${what} ...`));
  printLine(`${name}: ${summary} (${duration(performance.now() - startedMs)})`);
  return value;
};
