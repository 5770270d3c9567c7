import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import blessed from 'blessed';
import type { Frame } from './frame.ts';
import { glyphsOf } from './glyphs.ts';
import { type Row, type Style, TEXT } from './style.ts';
import { lookOf } from './theme.ts';

/** The terminal's screen. Nothing else writes to the terminal while it is open. */
export interface View {
  paint(frame: Frame): void;
  bell(): void;
  /** Forgets what is on the screen: the next frame is painted whole. */
  forget(): void;
  /** Gives the terminal back, as it was. Twice is once. */
  leave(): void;
  /** Takes the terminal again. */
  enter(): void;
  /** `leave` for good. */
  close(): void;
}

/** A cell as blessed keeps it: attributes and text. */
type Cell = [attributes: number, text: string];

/** What of blessed's screen is used; its published types leave most of it out. */
interface Screen {
  lines: (Cell[] & { dirty: boolean })[];
  olines: Cell[][];
  tput: { brokenACS: boolean };
  program: {
    flush(): void;
    cup(row: number, column: number): void;
    showCursor(): void;
    hideCursor(): void;
    _owrite(text: string): void;
  };
  alloc(): void;
  draw(first: number, last: number): void;
  render(): void;
  enter(): void;
  leave(): void;
  destroy(): void;
}

const BRACKETED_PASTE = '2004';
/** At the right edge nothing may spill onto the next line, whatever the terminal thinks of a glyph's width. */
const AUTOWRAP = '7';
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const LEFT_TO_RIGHT_MARK = '\u200e';
/** No cell ever looks like this, so the line that holds it is painted. */
const NEVER: number = -1;

/**
 * Takes over the terminal. blessed is the painter: it knows what the screen shows and writes only what differs. The cells
 * are set directly, each with one glyph, and glyphs two columns wide are followed by an empty cell: blessed's own notion
 * of widths, which miscounts emoji, has no part in it.
 */
export function openView(output: WriteStream, hasColour: boolean): View {
  const screen = blessed.screen({
    // Keys are read elsewhere; blessed must not touch them.
    input: new PassThrough(),
    output,
    // Debian's own entries for xterm and tmux do not parse.
    terminal: 'xterm-256color',
    forceUnicode: true,
    fullUnicode: false,
  } as object) as unknown as Screen;
  // Real box-drawing characters instead of the alternate character set.
  screen.tput.brokenACS = true;
  // Frames are painted here, not when blessed thinks it is time.
  screen.render = () => undefined;
  const attributes = attributesFor(hasColour);
  let isEntered = true;
  const raw = (text: string): void => screen.program._owrite(text);
  const setModes = (): void => raw(`\x1b[?${BRACKETED_PASTE}h\x1b[?${AUTOWRAP}l`);
  const leave = (): void => {
    if (!isEntered) return;
    isEntered = false;
    screen.program.flush();
    raw(`\x1b[?${BRACKETED_PASTE}l\x1b[?${AUTOWRAP}h`);
    screen.leave();
  };
  screen.program.flush();
  setModes();
  return {
    paint(frame) {
      if (isEntered) paint(screen, frame, attributes);
    },
    bell: () => raw('\x07'),
    forget: () => screen.alloc(),
    leave,
    enter() {
      if (isEntered) return;
      isEntered = true;
      screen.enter();
      screen.program.flush();
      setModes();
    },
    close() {
      leave();
      screen.destroy();
    },
  };
}

function paint(screen: Screen, frame: Frame, attributesOf: (style: Style) => number): void {
  const { program, lines } = screen;
  const height = Math.min(frame.lines.length, lines.length);
  for (let row = 0; row < height; row += 1) {
    const cells = lines[row] as Cell[] & { dirty: boolean };
    const isFragile = setCells(cells, frame.lines[row] as Row, attributesOf);
    cells.dirty = true;
    // blessed counts one column for every cell it leaves alone, which is wrong behind a wide glyph; and a glyph whose
    // width terminals disagree on may have left its neighbours in pieces. Such a line is painted whole or not at all.
    if (isFragile && differs(cells, screen.olines[row] as Cell[])) breakLine(screen.olines[row] as Cell[]);
  }
  screen.draw(0, height - 1);
  if (frame.cursor === null) program.hideCursor();
  else {
    program.cup(frame.cursor.row, frame.cursor.column);
    program.showCursor();
  }
  program.flush();
}

/** Sets one line's cells; true when it holds a glyph whose width is not one column for certain. */
function setCells(cells: Cell[], row: Row, attributesOf: (style: Style) => number): boolean {
  let column = 0;
  let isFragile = false;
  const isRightToLeft = row.some(({ text }) => RIGHT_TO_LEFT.test(text));
  const set = (attributes: number, text: string): void => {
    const cell = cells[column];
    column += 1;
    if (cell === undefined) return;
    cell[0] = attributes;
    cell[1] = text;
  };
  for (const { text, style } of row) {
    const attributes = attributesOf(style);
    for (const glyph of glyphsOf(text)) {
      if (column + glyph.width > cells.length) break;
      const isCertain = hasCertainWidth(glyph.text);
      // Keeps a terminal that reorders right-to-left text from carrying it across a rule.
      const mark = isRightToLeft && glyph.text === '│' ? LEFT_TO_RIGHT_MARK : '';
      set(attributes, isCertain ? glyph.text + mark : placed(glyph.text, glyph.width, column));
      for (let rest = 1; rest < glyph.width; rest += 1) set(attributes, '');
      isFragile ||= !isCertain || glyph.width > 1;
    }
  }
  while (column < cells.length) set(attributesOf(TEXT), ' ');
  return isFragile;
}

/**
 * Letters that every terminal gives the same width: one UTF-16 unit, no marks. Emoji, clusters and rare scripts are drawn
 * where they belong all the same, but with the cursor put back in its place afterwards.
 */
function hasCertainWidth(text: string): boolean {
  const unit = text.charCodeAt(0);
  const isSymbol = (unit >= 0x2300 && unit < 0x2400) || (unit >= 0x2600 && unit < 0x2c00);
  return text.length === 1 && !isSymbol;
}

/** Blanks its columns, draws the glyph, and puts the cursor behind it: ECMA-48 §8.3.9, CHA. */
function placed(text: string, width: number, column: number): string {
  return `${' '.repeat(width)}\x1b[${column + 1}G${text}\x1b[${column + width + 1}G`;
}

function differs(cells: readonly Cell[], shown: readonly Cell[]): boolean {
  return cells.some(([attributes, text], column) => shown[column]?.[0] !== attributes || shown[column]?.[1] !== text);
}

function breakLine(shown: readonly Cell[]): void {
  for (const cell of shown) cell[0] = NEVER;
}

/** blessed's packing: nine bits of background, nine of foreground, then the flags; 0x1ff is the terminal's own colour. */
function attributesFor(hasColour: boolean): (style: Style) => number {
  const known = new WeakMap<Style, number>();
  return (style) => {
    const packed = known.get(style);
    if (packed !== undefined) return packed;
    const { foreground, background, isBold, isUnderlined, isInverse } = lookOf(style, hasColour);
    const flags = (isBold ? 1 : 0) | (isUnderlined ? 2 : 0) | (isInverse ? 8 : 0);
    const fresh = (flags << 18) | ((foreground ?? 0x1ff) << 9) | (background ?? 0x1ff);
    known.set(style, fresh);
    return fresh;
  };
}
