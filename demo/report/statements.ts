/** Rows of the table that are about no scenario: what our program said of itself, against what is true. Pure. */
import type { Verdict } from './verdict.js';

const row = (scenario: string, expected: string, found: string, differences: readonly string[]): Verdict => ({
  scenario,
  games: 0,
  expected,
  engine: '',
  database: '',
  queue: found,
  differences,
});

/** Something that must be said in just these words. */
export function judgeAnswer(scenario: string, expected: string, found: string): Verdict {
  return row(scenario, expected, found, expected === found ? [] : [`it should be ${expected}, it is ${found}`]);
}

/** Names, each of them once, in any order; `what` is what they are names of. */
export function judgeNames(
  scenario: string,
  what: string,
  wanted: readonly string[],
  found: readonly string[],
): Verdict {
  const missing = wanted.filter((name) => !found.includes(name));
  const tooMany = found.filter((name, index) => !wanted.includes(name) || found.indexOf(name) !== index);
  return row(scenario, `${wanted.length} ${what}`, `${found.length} ${what}`, [
    ...missing.map((name) => `${JSON.stringify(name)} is missing`),
    ...tooMany.map((name) => `${JSON.stringify(name)} should not be there`),
  ]);
}

/** The last row: how the service ended when it was told to by SIGTERM; its exit code, or what ended it instead. */
export function judgeServiceEnd(ending: number | string): Verdict {
  const said = typeof ending === 'number' ? `exit code ${ending}` : ending;
  return judgeAnswer('the service, told to stop (SIGTERM)', 'exit code 0', said);
}
