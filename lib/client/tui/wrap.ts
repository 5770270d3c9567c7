import { isPlain } from './glyphs.ts';
import { rowWidth, styledGlyphs } from './rows.ts';
import type { Row, Span, Style } from './style.ts';

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly style: Style;
}

const CLOSING = /^[\p{Pe}\p{Pf}\p{Po}]/u;

/**
 * One line as rows of at most `width` columns. Breaks at blanks, else between wide characters (which need no blanks),
 * else inside the word; blanks at the end of a row are dropped, those at the start of the line are kept. A glyph wider
 * than the whole row is shown as a question mark. Always at least one row.
 */
export function wrapRow(row: Row, width: number): Row[] {
  if (fits(row, width)) return [row];
  const cells: Cell[] = [];
  for (const { glyph, style } of styledGlyphs(row)) {
    cells.push(glyph.width > width ? { text: '?', width: 1, style } : { ...glyph, style });
  }
  const rows: Row[] = [];
  let start = 0;
  while (start < cells.length) {
    const end = endOfRow(cells, start, width);
    rows.push(merge(cells, start, end));
    start = end;
    while (start < cells.length && cells[start]?.text === ' ') start += 1;
  }
  return rows.length === 0 ? [[]] : rows;
}

/** Most lines: plain text, shorter than the row. */
function fits(row: Row, width: number): boolean {
  let length = 0;
  for (const { text } of row) {
    if (!isPlain(text)) return rowWidth(row) <= width;
    length += text.length;
  }
  return length <= width;
}

/** The index after the last cell of the row that begins at `start`. */
function endOfRow(cells: readonly Cell[], start: number, width: number): number {
  let used = 0;
  let end = start;
  while (end < cells.length) {
    const cell = cells[end] as Cell;
    if (used + cell.width > width) break;
    used += cell.width;
    end += 1;
  }
  if (end === cells.length || cells[end]?.text === ' ') return end;
  for (let at = end; at > start; at -= 1) {
    if (canBreakBefore(cells, at) && hasInk(cells, start, at)) return at;
  }
  return end;
}

function canBreakBefore(cells: readonly Cell[], at: number): boolean {
  const before = cells[at - 1] as Cell;
  const after = cells[at] as Cell;
  if (before.text === ' ') return true;
  // Scripts written without blanks break anywhere but before a full stop or a closing bracket.
  return (before.width === 2 || after.width === 2) && !CLOSING.test(after.text);
}

/** Whether anything but blanks stands there; a row of nothing but indentation helps nobody. */
function hasInk(cells: readonly Cell[], start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (cells[at]?.text !== ' ') return true;
  return false;
}

function merge(cells: readonly Cell[], start: number, end: number): Row {
  let last = end;
  while (last > start + 1 && cells[last - 1]?.text === ' ') last -= 1;
  const spans: Span[] = [];
  let text = '';
  let style = cells[start]?.style;
  for (let at = start; at < last; at += 1) {
    const cell = cells[at] as Cell;
    if (cell.style !== style) {
      spans.push({ text, style: style as Style });
      text = '';
      style = cell.style;
    }
    text += cell.text;
  }
  if (style !== undefined) spans.push({ text, style });
  return spans;
}
