/**
 * Bad input by the thousand. Every property of the fuzz folders takes its seed and its number of runs from here, so that
 * what fails today fails tomorrow: the failure prints its seed and path. To look elsewhere, or for longer:
 *
 *   FUZZ_SEED=7 FUZZ_RUNS=100000 npx vitest run --project unit test/unit/fuzz
 *
 * With FUZZ_SHRINK=no the first failure is told as it is, without the search for the smallest, which takes its time.
 */
import type { Parameters } from 'fast-check';

const SEED = 20_261_123;

/** Long runs are requested by variables; no property is ended by the usual limit of a test. */
export const UNHURRIED = { timeout: 600_000 };

const whole = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`${name} is ${JSON.stringify(text)}; a whole number is needed`);
  return Number(text);
};

/** The terms of a property; `runs` is what a usual run of the tests can afford. */
export const fuzz = <T = unknown>(runs: number): Parameters<T> => ({
  seed: whole('FUZZ_SEED') ?? SEED,
  numRuns: whole('FUZZ_RUNS') ?? runs,
  endOnFailure: process.env['FUZZ_SHRINK'] === 'no',
});
