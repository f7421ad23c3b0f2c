const GAP = '  ';
/** A wider cell does not widen its column, so that a game id of 256 characters does not push other rows off the screen. */
const WIDEST = 60;
const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/u;
const TWO_COLUMNS =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\p{Emoji_Presentation}\u{20000}-\u{3FFFD}]/u;

/**
 * Lines of a table without rules; the first line is the head. Each column is as wide as its widest cell, except for cells
 * that are wider than `WIDEST`. It handles twenty thousand records in a pipe, for which libraries that draw boxes need a
 * minute.
 */
export function alignedLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const width = widthOf(cell);
      if (width <= WIDEST) widths[column] = Math.max(widths[column] ?? 0, width);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join(GAP)
      .trimEnd(),
  );
}

/** How many columns of a terminal the text takes; it has no control characters. */
function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += NO_COLUMN.test(character) ? 0 : TWO_COLUMNS.test(character) ? 2 : 1;
  return width;
}
