/** The table of situations, the page that shows it and the tests that provoke its rows must agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';
import { verdictFor } from '../../../src/jobs/retry-policy.js';
import { ROWS, rowsMarkdown } from '../../faults/codes/catalogue/rows.js';

const ids = ROWS.map(({ id }) => id);

it('each row has a unique name that begins with its source', () => {
  expect(new Set(ids).size).toBe(ids.length);
  expect(ROWS.filter(({ id, source }) => !id.startsWith(`${source}-`))).toEqual([]);
});

it('the rows lead to every code', () => {
  expect(new Set(ROWS.map(({ code }) => code))).toEqual(new Set([...SUCCESS_CODES, ...FAILURE_CODES]));
});

it('each row states an action that the retry policy takes', () => {
  const limits = { conflictMaxAttempts: 2, conflictMaxDelayMs: 1_000, retryMaxAgeMs: 1_000 };
  const impossible = ROWS.filter(({ code, job }) => {
    const attempts = [true, false].flatMap((fromSweep) => [
      { count: 1, ageMs: 0, fromSweep, random: 0 },
      { count: 3, ageMs: 1_000, fromSweep, random: 0 },
    ]);
    return !attempts.some((attempt) => verdictFor(code, attempt, limits).action === job);
  });
  expect(impossible).toEqual([]);
});

it('the error catalogue shows the table unchanged', () => {
  const page = readFileSync('docs/error-catalogue.md', 'utf8');
  const [, shown] = /<!-- situations -->\n([\s\S]*?)<!-- \/situations -->/.exec(page) ?? [];
  expect(shown).toBe(rowsMarkdown());
});

/** Without comments, because a test in a comment does not run. */
const codeOf = (text: string): string => text.replaceAll(/^\s*\/\/.*$|\/\*[\s\S]*?\*\//gm, '');

describe('the tests on real services', () => {
  const folders = ['test/faults', 'test/integration', 'test/e2e', 'test/contract'];
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => ({ file: `${folder}/${file}`, text: codeOf(readFileSync(`${folder}/${file}`, 'utf8')) })),
  );
  const named = sources.flatMap(({ text }) =>
    [...text.matchAll(/\b(?:provokes|row)\(\s*'([^']*)'/g)].map(([, id]) => id ?? ''),
  );

  it('the tests on real services provoke every row', () => {
    expect(ids.filter((id) => !named.includes(id))).toEqual([]);
  });

  it('the tests on real services name only rows of the table', () => {
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('each test below test/faults/codes names its row', () => {
    const nameless = sources
      .filter(({ file }) => file.startsWith('test/faults/codes/'))
      .filter(({ text }) => /\b(?:it|test)(?:\.\w+)*\((?!`?\$?\{?row\()/.test(text) || !/\bprovokes\(/.test(text));
    expect(nameless.map(({ file }) => file)).toEqual([]);
  });
});
