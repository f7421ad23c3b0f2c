import { describe, expect, it } from 'vitest';
import { alignedLines } from '../../../../src/cli/terminal/table.js';

describe('aligned lines', () => {
  it('give each column the width of its widest cell, and end without blanks', () => {
    expect(
      alignedLines([
        ['GAME', 'STATUS', 'IMAGE'],
        ['g', 'removed', ''],
        ['game-12', '', 'i'],
      ]),
    ).toEqual(['GAME     STATUS   IMAGE', 'g        removed', 'game-12           i']);
  });

  it('count what a character takes on a terminal, not what it takes in memory', () => {
    const cells = ['ab', '游', 'e\u0301x', '\u{1F680}'];
    expect(alignedLines(cells.map((cell) => [cell, '|']))).toEqual(cells.map((cell) => `${cell}  |`));
  });

  it('are not torn apart by one cell that is too wide for any screen', () => {
    const wide = 'x'.repeat(256);
    expect(
      alignedLines([
        ['GAME', 'STATUS'],
        ['g', 'a'],
        [wide, 'b'],
      ]),
    ).toEqual(['GAME  STATUS', 'g     a', `${wide}  b`]);
  });

  it('of a lot of rows are no work worth speaking of', () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => [`game-${n}`, 'stopped', 'x'.repeat(64)]);
    expect(alignedLines(rows)).toHaveLength(20_000);
  }, 2_000);
});
