import { type Glyph, glyphsOf, isPlain, widthOf } from './glyphs.ts';
import { type Row, type Span, type Style, TEXT } from './style.ts';

/** The columns a row takes. */
export function rowWidth(row: Row): number {
  let width = 0;
  for (const { text } of row) width += widthOf(text);
  return width;
}

/** The row as exactly `width` columns: cut with an ellipsis, or filled with blanks in `fill`. */
export function fitRow(row: Row, width: number, fill: Style = TEXT): Row {
  const has = rowWidth(row);
  if (has === width) return row;
  if (has < width) return [...row, { text: ' '.repeat(width - has), style: fill }];
  return cutRow(row, width, fill);
}

/** Two ends of one row: `right` stays whole as long as there is room, `left` is cut. */
export function spreadRow(left: Row, right: Row, width: number, fill: Style = TEXT): Row {
  const rightWidth = rowWidth(right);
  if (rightWidth > width) return fitRow(left, width, fill);
  return [...fitRow(left, width - rightWidth, fill), ...right];
}

/** The text in at most `width` columns, with an ellipsis where something is missing. */
export function cutText(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const glyph of glyphsOf(text)) {
    if (used + glyph.width > width - 1) break;
    kept += glyph.text;
    used += glyph.width;
  }
  return `${kept}…`;
}

/** The row's glyphs, each with its style. */
export function styledGlyphs(row: Row): { readonly glyph: Glyph; readonly style: Style }[] {
  return row.flatMap(({ text, style }) => glyphsOf(text).map((glyph) => ({ glyph, style })));
}

/** The row's text alone. */
export function plainText(row: Row): string {
  return row.map(({ text }) => text).join('');
}

function cutRow(row: Row, width: number, fill: Style): Row {
  const kept: Span[] = [];
  let left = width;
  for (const { text, style } of row) {
    const wide = isPlain(text) ? text.length : widthOf(text);
    if (wide < left) {
      kept.push({ text, style });
      left -= wide;
      continue;
    }
    const cut = cutText(`${text}  `, left);
    kept.push({ text: cut, style });
    left -= widthOf(cut);
    break;
  }
  return left > 0 ? [...kept, { text: ' '.repeat(left), style: fill }] : kept;
}
