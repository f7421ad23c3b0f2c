import { describe, expect, it } from 'vitest';
import { alignedLines } from '../../../../src/cli/terminal/table.js';

describe('a table', () => {
  it('a column is as wide as its widest cell, and lines end without spaces', () => {
    expect(
      alignedLines([
        ['GAME', 'STATUS', 'IMAGE'],
        ['g', 'removed', ''],
        ['game-12', '', 'i'],
      ]),
    ).toEqual(['GAME     STATUS   IMAGE', 'g        removed', 'game-12           i']);
  });

  it('a table is aligned by the width of characters on a terminal, not by their size in memory', () => {
    const cells = ['ab', '游', 'e\u0301x', '\u{1F680}'];
    expect(alignedLines(cells.map((cell) => [cell, '|']))).toEqual(cells.map((cell) => `${cell}  |`));
  });

  it('a table keeps its column widths when one cell is wider than a screen', () => {
    const wide = 'x'.repeat(256);
    expect(
      alignedLines([
        ['GAME', 'STATUS'],
        ['g', 'a'],
        [wide, 'b'],
      ]),
    ).toEqual(['GAME  STATUS', 'g     a', `${wide}  b`]);
  });

  it('a table of many rows is made within a fraction of a second', () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => [`game-${n}`, 'stopped', 'x'.repeat(64)]);
    expect(alignedLines(rows)).toHaveLength(20_000);
  }, 2_000);
});
