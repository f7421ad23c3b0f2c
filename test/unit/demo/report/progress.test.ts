import { describe, expect, it } from 'vitest';
import { shownDuration, startProgress } from '../../../../demo/report/progress.js';

function watch({ isTTY, json }: { readonly isTTY: boolean; readonly json: boolean }) {
  const seen = { text: '' };
  const stream = { isTTY, write: (text: string) => void (seen.text += text) };
  return { seen, io: { stdout: stream, stderr: stream, json } };
}

function play(options: { readonly isTTY: boolean; readonly json: boolean }): string {
  const { seen, io } = watch(options);
  const progress = startProgress(io, 'jobs ended');
  progress.end('jobs ended: all');
  progress.stop();
  return seen.text;
}

describe('progress', () => {
  it('is one line at the end where nobody watches it live', () => {
    expect(play({ isTTY: false, json: false })).toBe('jobs ended: all\n');
  });

  it('has more lines below its end where there are any', () => {
    const { seen, io } = watch({ isTTY: false, json: false });
    startProgress(io, 'through HTTP').end('through HTTP: 1 call', ['  $ curl', '    200']);
    expect(seen.text).toBe('through HTTP: 1 call\n  $ curl\n    200\n');
  });

  it('is nothing at all for machines', () => {
    expect(play({ isTTY: true, json: true })).toBe('');
  });

  it('says on a terminal what goes on, and replaces it with how it ended', () => {
    expect(play({ isTTY: true, json: false })).toBe('jobs ended ...\r\u001B[Kjobs ended: all\n');
  });

  it('counts nothing any more after its end', () => {
    const { seen, io } = watch({ isTTY: true, json: false });
    const progress = startProgress(io, 'jobs ended');
    progress.stop();
    const before = seen.text;
    progress.at(1, 2);
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
  ])('of %d ms is shown as %s', (ms, shown) => {
    expect(shownDuration(ms)).toBe(shown);
  });
});
