/** The result of the demo: a table and a summary for people, or one JSON document. */
import Table from 'cli-table3';
import pico from 'picocolors';
import type { HttpCall } from '../platform/http-client.js';
import { shownDuration } from './progress.js';
import type { Verdict } from './verdict.js';

export interface Report {
  readonly queueBackend: string;
  readonly verdicts: readonly Verdict[];
  readonly containersCreated: number;
  readonly containersRemoved: number;
  readonly containersKept: number;
  readonly jobs: number;
  readonly elapsedMs: number;
  readonly httpCalls: readonly HttpCall[];
}

export const isAsExpected = ({ verdicts }: Report): boolean =>
  verdicts.every(({ differences }) => differences.length === 0);

const COLUMNS = { scenario: 36, games: 5, expected: 30, engine: 12, database: 20, queue: 18, '': 7 };
/** The table library's names of its border lines; all are set to nothing. */
const BORDERS =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid'.split(
    ' ',
  );

export function reportText(report: Report, { isColored }: { readonly isColored: boolean }): string {
  const { bold, green, red, dim } = pico.createColors(isColored);
  const table = new Table({
    head: Object.keys(COLUMNS).map((title) => bold(title)),
    colWidths: Object.values(COLUMNS),
    wordWrap: true,
    chars: { ...Object.fromEntries(BORDERS.map((line) => [line, ''])), middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const { scenario, games, expected, engine, database, queue, differences } of report.verdicts) {
    const count = games === 0 ? '' : String(games);
    const mark = differences.length === 0 ? green('ok') : red('DIFFERS');
    const ends = folded(expected, COLUMNS.expected);
    table.push([scenario, { content: count, hAlign: 'right' }, ends, engine, database, queue, mark]);
  }
  const differences = report.verdicts.flatMap((verdict) =>
    verdict.differences.map((text) => red(`DIFFERS  ${verdict.scenario}: ${text}`)),
  );
  const lines = table.toString().split('\n');
  return [...lines.map((line) => line.trimEnd()), ...differences, dim(summaryLine(report)), ''].join('\n');
}

/** Breaks a long text between clauses; the table itself breaks only between words. */
const folded = (text: string, width: number): string => (text.length > width ? text.replaceAll('; ', ';\n') : text);

function summaryLine(report: Report): string {
  const { containersCreated, containersRemoved, containersKept, jobs, elapsedMs, queueBackend, verdicts } = report;
  const right = verdicts.filter(({ differences }) => differences.length === 0).length;
  return [
    `${right} of ${verdicts.length} as expected`,
    `${containersCreated} containers created, ${containersRemoved} removed and ${containersKept} kept by the service`,
    `${jobs} jobs on the ${queueBackend} queue`,
    shownDuration(elapsedMs),
  ].join('; ');
}

export function reportDocument(report: Report): unknown {
  const { queueBackend, containersCreated, containersRemoved, containersKept, jobs, elapsedMs, verdicts, httpCalls } =
    report;
  return {
    asExpected: isAsExpected(report),
    queueBackend,
    containers: { made: containersCreated, removed: containersRemoved, kept: containersKept },
    jobs,
    elapsedMs: Math.round(elapsedMs),
    httpCalls,
    scenarios: verdicts.map((verdict) => Object.assign({ asExpected: verdict.differences.length === 0 }, verdict)),
  };
}
