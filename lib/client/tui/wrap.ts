import { isPlain } from './glyphs.ts';
import { rowWidth, styledGlyphs } from './rows.ts';
import type { Row, Span, Style } from './style.ts';

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly style: Style;
}

const CLOSING = /^[\p{Pe}\p{Pf}\p{Po}]/u;
const BULLETS: readonly string[] = ['-', '*', '•'];

/**
 * One line as rows of at most `width` columns. Breaks at blanks, else between wide characters (which need no blanks),
 * else inside the word; blanks at the end of a row are dropped, those at the start of the line are kept and indent the rows that follow. A glyph wider
 * than the whole row is shown as a question mark. Always at least one row.
 */
export function wrapRow(row: Row, width: number): Row[] {
  if (fits(row, width)) return [row];
  const cells: Cell[] = [];
  for (const { glyph, style } of styledGlyphs(row)) {
    cells.push(glyph.width > width ? { text: '?', width: 1, style } : { ...glyph, style });
  }
  const rows: Row[] = [];
  const indent = hangingIndent(cells, width);
  let start = 0;
  while (start < cells.length) {
    const isFirst = start === 0;
    const end = endOfRow(cells, start, isFirst ? width : width - indent);
    const ink = merge(cells, start, end);
    rows.push(isFirst || indent === 0 ? ink : [{ text: ' '.repeat(indent), style: cells[0]?.style as Style }, ...ink]);
    start = end;
    while (start < cells.length && cells[start]?.text === ' ') start += 1;
  }
  return rows.length === 0 ? [[]] : rows;
}

/** What is indented or an item of a list goes on below its own text, as long as that leaves most of the row. */
function hangingIndent(cells: readonly Cell[], width: number): number {
  let indent = 0;
  while (cells[indent]?.text === ' ') indent += 1;
  if (BULLETS.includes(cells[indent]?.text ?? '') && cells[indent + 1]?.text === ' ') indent += 2;
  const hasRoom = indent <= width / 3 && cells.every((cell) => cell.width <= width - indent);
  return hasRoom ? indent : 0;
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
