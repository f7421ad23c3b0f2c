/**
 * Fuzz tests: every property of the fuzz folders takes its seed and its number of runs from here, so that a failure can be
 * repeated; it prints its seed and path. To use another seed or more runs:
 *
 *   FUZZ_SEED=7 FUZZ_RUNS=100000 npx vitest run --project unit test/unit/fuzz
 *
 * FUZZ_SHRINK=no reports the first failure at once, without the slow search for the smallest one.
 */
import type { Parameters } from 'fast-check';

const SEED = 20_261_123;

/** Long runs are requested by variables, so the usual time limit of a test does not apply to properties. */
export const UNHURRIED = { timeout: 600_000 };

const whole = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`${name} is ${JSON.stringify(text)}; a whole number is needed`);
  return Number(text);
};

/** The parameters of a property; `runs` is the number in a usual run of the tests. */
export const fuzz = <T = unknown>(runs: number): Parameters<T> => ({
  seed: whole('FUZZ_SEED') ?? SEED,
  numRuns: whole('FUZZ_RUNS') ?? runs,
  endOnFailure: process.env['FUZZ_SHRINK'] === 'no',
});
