import { describe, expect, it } from 'vitest';
import { isAsExpected, type Report, reportDocument, reportText } from '../../../../demo/report/report.js';
import type { Verdict } from '../../../../demo/report/verdict.js';

const right: Verdict = {
  scenario: 'stopped',
  games: 5,
  expected: 'removed; completed',
  engine: 'gone',
  database: 'removed; success',
  queue: 'completed',
  differences: [],
};
const wrong: Verdict = {
  ...right,
  engine: 'exited',
  differences: ['game "a": it is exited', 'game "b": it is exited'],
};
const report = (...verdicts: readonly Verdict[]): Report => ({
  queueBackend: 'postgres',
  verdicts,
  containersCreated: 9,
  containersRemoved: 5,
  containersKept: 4,
  jobs: 12,
  elapsedMs: 23_456,
  httpCalls: [{ curl: 'curl "$API/runtimes"', status: 200, body: { items: [] } }],
});

describe('the report', () => {
  it('a report is as expected only when no row differs', () => {
    expect(isAsExpected(report(right, right))).toBe(true);
    expect(isAsExpected(report(right, wrong))).toBe(false);
  });

  it('the text has a line for each scenario with its mark at the end, and a summary', () => {
    const lines = reportText(report(right), { isColored: false }).trimEnd().split('\n');
    expect(lines[1]).toMatch(/^stopped +5 +removed; completed +gone +removed; success +completed +ok$/);
    expect(lines.at(-1)).toBe(
      '1 of 1 as expected; 9 containers created, 5 removed and 4 kept by the service; 12 jobs on the postgres queue; 23.5 s',
    );
  });

  it('the text marks a row that differs and lists every difference below the table', () => {
    const text = reportText(report(right, wrong), { isColored: false });
    expect(text).toMatch(/exited .*DIFFERS$/m);
    expect(text).toContain('DIFFERS  stopped: game "a": it is exited\nDIFFERS  stopped: game "b": it is exited\n');
    expect(text).toContain('1 of 2 as expected');
  });

  it('the text has no colours unless they are requested', () => {
    const escape = String.fromCodePoint(27);
    expect(reportText(report(wrong), { isColored: false })).not.toContain(escape);
    expect(reportText(report(wrong), { isColored: true })).toContain(escape);
  });

  it('the JSON document has the same content as the text', () => {
    expect(reportDocument(report(right, wrong))).toEqual({
      asExpected: false,
      queueBackend: 'postgres',
      containers: { made: 9, removed: 5, kept: 4 },
      jobs: 12,
      elapsedMs: 23_456,
      httpCalls: [{ curl: 'curl "$API/runtimes"', status: 200, body: { items: [] } }],
      scenarios: [
        { asExpected: true, ...right },
        { asExpected: false, ...wrong },
      ],
    });
  });
});
