import type { ScreenCell, TestTerminal } from './terminal.ts';

/** Of a cell, in pixels: what DejaVu Sans Mono and its like take at this size. */
const FONT_SIZE = 14;
const CELL_WIDTH = 8.43;
const CELL_HEIGHT = 18;
const MARGIN = 12;
const PAPER = '#16181d';
const INK = '#d0d4dc';

interface Run {
  text: string;
  readonly column: number;
  columns: number;
  readonly look: ScreenCell;
}

/** The screen as it stands, as an SVG. */
export function pictureOf(terminal: TestTerminal): string {
  const width = round(terminal.columns * CELL_WIDTH + MARGIN * 2);
  const height = terminal.rows * CELL_HEIGHT + MARGIN * 2;
  const lines = Array.from({ length: terminal.rows }, (_, row) => lineOf(terminal, row)).filter((line) => line !== '');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>text{font:${FONT_SIZE}px "DejaVu Sans Mono","Menlo","Consolas","Noto Sans Mono",monospace;fill:${INK};white-space:pre}.b{font-weight:bold}.u{text-decoration:underline}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${PAPER}"/>`,
    ...lines,
    cursorOf(terminal),
    '</svg>',
    '',
  ].join('\n');
}

function lineOf(terminal: TestTerminal, row: number): string {
  const runs = runsOf(terminal, row);
  const y = MARGIN + row * CELL_HEIGHT;
  const grounds = runs.map(({ look, column, columns }) => {
    const fill = groundOf(look);
    if (fill === null) return '';
    return `<rect x="${at(column)}" y="${y}" width="${round(columns * CELL_WIDTH + 0.3)}" height="${CELL_HEIGHT}" fill="${fill}"/>`;
  });
  const texts = runs.map(({ look, text, column, columns }) => {
    const words = text.trim();
    if (words === '') return '';
    // Blanks at the ends are left out: not every program that draws this keeps them.
    const from = column + text.length - text.trimStart().length;
    const wide = text.length === words.length ? columns : words.length;
    const classes = `${look.isBold ? 'b' : ''}${look.isUnderlined ? ' u' : ''}`.trim();
    const fill = inkOf(look);
    const attributes = `${classes === '' ? '' : ` class="${classes}"`}${fill === null ? '' : ` fill="${fill}" style="fill:${fill}"`}`;
    const length = round(wide * CELL_WIDTH);
    return `<text x="${at(from)}" y="${y + 13.5}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${attributes}>${escaped(words)}</text>`;
  });
  return [...grounds, ...texts].filter((part) => part !== '').join('');
}

/** Cells of one look that stand together; blanks at the end of a line without a ground of their own are nothing. */
function runsOf(terminal: TestTerminal, row: number): Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < terminal.columns; column += 1) {
    const cell = terminal.cell(column, row);
    if (cell.width === 0) continue;
    const text = cell.text === '' ? ' ' : cell.text;
    const last = runs[runs.length - 1];
    // Wide and joined characters stand alone, so that no font can move what follows them.
    const isPlain = cell.width === 1 && text.length === 1 && text.charCodeAt(0) < 0x2500;
    // Two blanks part two runs: not every program keeps blanks in a row.
    const isGap = text === ' ' && last?.text.endsWith(' ') === true && last.text.trim() !== '';
    if (last !== undefined && isPlain && !isGap && isSameLook(last, cell)) {
      last.text += text;
      last.columns += 1;
    } else runs.push({ text, column, columns: cell.width, look: cell });
  }
  return runs;
}

function isSameLook({ look, text }: Run, cell: ScreenCell): boolean {
  const isPlain = look.width === 1 && !/[^\u0020-\u24ff]/.test(text);
  return (
    isPlain &&
    inkOf(look) === inkOf(cell) &&
    groundOf(look) === groundOf(cell) &&
    look.isBold === cell.isBold &&
    look.isUnderlined === cell.isUnderlined
  );
}

function cursorOf(terminal: TestTerminal): string {
  const { column, row } = terminal.cursor;
  return `<rect x="${at(column)}" y="${MARGIN + row * CELL_HEIGHT}" width="${CELL_WIDTH}" height="${CELL_HEIGHT}" fill="${INK}" opacity="0.7"/>`;
}

function inkOf({ foreground, background, isInverse }: ScreenCell): string | null {
  if (isInverse) return background === null ? PAPER : paletteColour(background);
  return foreground === null ? null : paletteColour(foreground);
}

function groundOf({ foreground, background, isInverse }: ScreenCell): string | null {
  if (isInverse) return foreground === null ? INK : paletteColour(foreground);
  return background === null ? null : paletteColour(background);
}

/** xterm's palette: 16 named colours, a cube of 6x6x6, and 24 greys. */
function paletteColour(index: number): string {
  if (index >= 232) return rgb([index, index, index].map((grey) => 8 + (grey - 232) * 10));
  if (index >= 16) {
    const cube = [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6];
    return rgb(cube.map((step) => (step === 0 ? 0 : 55 + step * 40)));
  }
  return NAMED[index] as string;
}

const NAMED: readonly string[] = [
  '#000000',
  '#cd3131',
  '#0dbc79',
  '#e5e510',
  '#2472c8',
  '#bc3fbc',
  '#11a8cd',
  '#e5e5e5',
  '#666666',
  '#f14c4c',
  '#23d18b',
  '#f5f543',
  '#3b8eea',
  '#d670d6',
  '#29b8db',
  '#ffffff',
];

function rgb(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function at(column: number): number {
  return round(MARGIN + column * CELL_WIDTH);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
