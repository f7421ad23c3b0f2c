import { describe, expect, it } from 'vitest';
import { shownDuration, startProgress } from '../../../../demo/report/progress.js';

function watch({ isTTY, json }: { readonly isTTY: boolean; readonly json: boolean }) {
  const seen = { text: '' };
  const stream = { isTTY, write: (text: string) => void (seen.text += text) };
  return { seen, output: { stdout: stream, stderr: stream, json } };
}

function textOf(options: { readonly isTTY: boolean; readonly json: boolean }): string {
  const { seen, output } = watch(options);
  const progress = startProgress(output, 'jobs ended');
  progress.end('jobs ended: all');
  progress.stop();
  return seen.text;
}

describe('progress', () => {
  it('progress is one line at the end when the output is not a terminal', () => {
    expect(textOf({ isTTY: false, json: false })).toBe('jobs ended: all\n');
  });

  it('details are printed below the last line', () => {
    const { seen, output } = watch({ isTTY: false, json: false });
    startProgress(output, 'through HTTP').end('through HTTP: 1 call', ['  $ curl', '    200']);
    expect(seen.text).toBe('through HTTP: 1 call\n  $ curl\n    200\n');
  });

  it('progress is not shown with JSON', () => {
    expect(textOf({ isTTY: true, json: true })).toBe('');
  });

  it('progress on a terminal shows the title, then replaces it with the last line', () => {
    expect(textOf({ isTTY: true, json: false })).toBe('jobs ended ...\r\u001B[Kjobs ended: all\n');
  });

  it('progress shows nothing after it was stopped', () => {
    const { seen, output } = watch({ isTTY: true, json: false });
    const progress = startProgress(output, 'jobs ended');
    progress.stop();
    const before = seen.text;
    progress.update(1, 2);
    progress.stop();
    expect(seen.text).toBe(before);
  });
});

describe('a duration', () => {
  it.each([
    [12.4, '12 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [23_456, '23.5 s'],
  ])('a duration of %d ms is shown as %s', (ms, shown) => {
    expect(shownDuration(ms)).toBe(shown);
  });
});
