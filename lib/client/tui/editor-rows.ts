import { sanitiseLine } from '../sanitise.ts';
import type { Editor } from './editor.ts';
import { glyphsOf } from './glyphs.ts';
import { labelOf } from './room-list.ts';
import { cutText } from './rows.ts';
import type { Secret, State, Window } from './state.ts';

/** The text being written as it stands on the screen. */
export interface EditorRows {
  readonly rows: readonly string[];
  /** Where the terminal's cursor belongs: row in `rows`, and column. */
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

const TAB = '    ';
let memo: { readonly editor: Editor; readonly width: number; readonly result: EditorRows } | null = null;

/** The editor's text in rows of at most `width` columns, broken where they are full. Memoised for the last one asked. */
export function editorRows(editor: Editor, width: number): EditorRows {
  if (memo?.editor.text === editor.text && memo.editor.cursor === editor.cursor && memo.width === width)
    return memo.result;
  const result = layOut(editor.text.slice(0, editor.cursor), editor.text.slice(editor.cursor), width);
  memo = { editor, width, result };
  return result;
}

/** What stands before the text: where it will go, or what is looked for. */
export function promptOf(state: State): string {
  const window = state.windows[state.active] as Window;
  switch (state.mode.type) {
    case 'search':
      return ' search: ';
    case 'recall':
      return ' recall: ';
    case 'secret':
      return secretPrompt(state.mode.wanted, state.columns);
    case 'write': {
      return ` ${cutText(labelOf(window), Math.max(6, Math.floor(state.columns / 5)))} › `;
    }
    default:
      return state.mode satisfies never;
  }
}

function secretPrompt(wanted: Secret, columns: number): string {
  if (wanted.what === 'code') return ` code of #${cutText(sanitiseLine(wanted.room), Math.max(6, columns - 20))}: `;
  return wanted.first === null ? ' new password: ' : ' once more: ';
}

function layOut(before: string, after: string, width: number): EditorRows {
  const rows = [''];
  let column = fill(rows, before, width, 0);
  // The cursor needs a cell of its own: after a full row it stands at the start of the next.
  if (column >= width) {
    rows.push('');
    column = 0;
  }
  const cursorRow = rows.length - 1;
  const cursorColumn = column;
  fill(rows, after, width, column);
  return { rows, cursorRow, cursorColumn };
}

/** Goes on writing at `column` of the last row; returns the column after the text. */
function fill(rows: string[], text: string, width: number, from: number): number {
  let column = from;
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) {
      rows.push('');
      column = 0;
    }
    for (const glyph of glyphsOf(line.replaceAll('\t', TAB))) {
      if (column + glyph.width > width) {
        rows.push('');
        column = 0;
      }
      rows[rows.length - 1] += glyph.text;
      column += glyph.width;
    }
  }
  return column;
}

/** The part of a long input that is on screen: `height` rows around the cursor. */
export function visibleInput({ rows, cursorRow, cursorColumn }: EditorRows, height: number): EditorRows {
  const start = Math.max(0, Math.min(cursorRow - height + 1, rows.length - height));
  return { rows: rows.slice(start, start + height), cursorRow: cursorRow - start, cursorColumn };
}
