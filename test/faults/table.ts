import Table from 'cli-table3';
import type { Finding, Violation } from './experiment.js';

const HEAD = ['fault', 'store', 'runs', 'violations', 'median', 'p99', 'max'];

/** One row a finding; recoveries in seconds. */
export function tableOf(findings: readonly Finding[]): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [] } });
  for (const { fault, store, runs, violations, recoveriesMs } of findings) {
    const sorted = recoveriesMs.toSorted((a, b) => a - b);
    table.push([fault, store, runs, violations.length, ...[0.5, 0.99, 1].map((share) => shown(sorted, share))]);
  }
  return table.toString();
}

/** The same as a page wants it. */
export function markdownOf(findings: readonly Finding[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const rows = findings.map(({ fault, store, runs, violations, recoveriesMs }) => {
    const sorted = recoveriesMs.toSorted((a, b) => a - b);
    return line([fault, store, runs, violations.length, ...[0.5, 0.99, 1].map((share) => shown(sorted, share))]);
  });
  return [line(HEAD), line(HEAD.map(() => '---')), ...rows].join('\n');
}

/** The value that this share of them does not exceed (nearest rank). */
function shown(sorted: readonly number[], share: number): string {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined ? '' : `${(value / 1_000).toFixed(1)} s`;
}

/** All that is needed to see a violation again. */
export function storyOf({ check, what, seed, history }: Violation): string {
  return [`${check}: ${what} (seed ${seed})`, ...history.map((line) => `    ${line}`)].join('\n');
}
