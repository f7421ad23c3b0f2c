/** The rows of the table without a scenario: the program's own answers compared with the facts. Pure. */
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

/** An answer that must be exactly this text. */
export function judgeAnswer(scenario: string, expected: string, found: string): Verdict {
  return row(scenario, expected, found, expected === found ? [] : [`it should be ${expected}, it is ${found}`]);
}

/** Names that must be listed once each, in any order; `what` says what they name. */
export function judgeNames(
  scenario: string,
  what: string,
  wanted: readonly string[],
  found: readonly string[],
): Verdict {
  const missing = wanted.filter((name) => !found.includes(name));
  const surplus = found.filter((name, index) => !wanted.includes(name) || found.indexOf(name) !== index);
  return row(scenario, `${wanted.length} ${what}`, `${found.length} ${what}`, [
    ...missing.map((name) => `${JSON.stringify(name)} is missing`),
    ...surplus.map((name) => `${JSON.stringify(name)} should not be listed`),
  ]);
}

/** The last row: how the service ended after SIGTERM: its exit code, or the signal that ended it. */
export function judgeServiceEnd(ending: number | string): Verdict {
  const found = typeof ending === 'number' ? `exit code ${ending}` : ending;
  return judgeAnswer('the service, told to stop (SIGTERM)', 'exit code 0', found);
}
