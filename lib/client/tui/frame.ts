import { editorRows, promptOf, visibleInput } from './editor-rows.ts';
import { type Geometry, geometryOf, MIN_COLUMNS, MIN_ROWS } from './geometry.ts';
import { widthOf } from './glyphs.ts';
import { helpPage } from './help-page.ts';
import { memberList } from './member-list.ts';
import { messagePane } from './message-pane.ts';
import { roomList, topLine } from './room-list.ts';
import { fitRow } from './rows.ts';
import type { State, Window } from './state.ts';
import { statusLine } from './status-line.ts';
import { ACCENT_STRONG, DIM, type Row, span, TEXT, WARN } from './style.ts';

/** The whole screen: `rows` lines of exactly `columns` columns, and where the cursor blinks. */
export interface Frame {
  readonly columns: number;
  readonly lines: readonly Row[];
  readonly cursor: { readonly column: number; readonly row: number } | null;
}

/** What the screen shows in this state. Pure. */
export function frameOf(state: State): Frame {
  const geometry = geometryOf(state);
  if (geometry.isTooSmall) return tooSmall(state);
  const body = bodyLines(state, geometry);
  const input = inputLines(state, geometry);
  const lines = [topLine(state, geometry.roomsWidth > 0), ...body, statusLine(state), ...input.lines];
  const cursor = { column: input.column, row: lines.length - input.lines.length + input.row };
  return { columns: state.columns, lines: lines.map((line) => fitRow(line, state.columns)), cursor };
}

function bodyLines(state: State, geometry: Geometry): Row[] {
  const { paneHeight, paneWidth, roomsWidth, membersWidth } = geometry;
  const window = state.windows[state.active] as Window;
  const rooms = roomsWidth > 0 ? roomList(state, roomsWidth, paneHeight) : [];
  const members = membersWidth > 0 ? memberList(window.members, membersWidth, paneHeight) : [];
  const pane = state.isHelpOpen
    ? helpPage(state.helpScroll, paneWidth, paneHeight)
    : messagePane(state, window, geometry);
  return pane.map((row, index) => [...(rooms[index] ?? []), ...row, ...(members[index] ?? [])]);
}

interface InputLines {
  readonly lines: Row[];
  readonly column: number;
  readonly row: number;
}

function inputLines(state: State, { inputWidth, inputHeight }: Geometry): InputLines {
  const prompt = promptOf(state);
  const indent = widthOf(prompt);
  if (state.mode.type !== 'write') return lookingLine(state, prompt);
  const all = editorRows(state.editor, inputWidth);
  const { rows, cursorRow, cursorColumn } = visibleInput(all, inputHeight);
  const lines = rows.map((text, index): Row => {
    const head = index === 0 ? span(prompt, ACCENT_STRONG) : span(' '.repeat(indent), TEXT);
    return [head, span(text, TEXT)];
  });
  if (all.rows.length > rows.length) {
    const note = ` ${all.rows.length} lines `;
    lines[0] = [...fitRow(lines[0] as Row, state.columns - note.length), span(note, DIM)];
  }
  return { lines, column: indent + cursorColumn, row: cursorRow };
}

/** The input line while something is looked for. */
function lookingLine(state: State, prompt: string): InputLines {
  const { mode } = state;
  const query = mode.type === 'write' ? '' : mode.type === 'secret' ? dots(mode.text, state.columns) : mode.query;
  const found = mode.type === 'recall' && mode.index !== null ? (state.history.lines[mode.index] ?? '') : '';
  const row: Row = [
    span(prompt, ACCENT_STRONG),
    span(query, TEXT),
    ...(found === '' ? [] : [span('  ', TEXT), span(found.replace(/\s+/g, ' '), DIM)]),
  ];
  const column = Math.min(widthOf(prompt) + widthOf(query), state.columns - 1);
  return { lines: [row], column, row: 0 };
}

/** As many as were typed, so that one sees that something is. */
function dots(secret: string, columns: number): string {
  return '•'.repeat(Math.min([...secret].length, Math.max(1, columns - 24)));
}

function tooSmall({ columns, rows }: State): Frame {
  const words = [`${columns}x${rows} is too small`, `bcast needs ${MIN_COLUMNS}x${MIN_ROWS}`];
  const top = Math.max(0, Math.floor((rows - words.length) / 2));
  const lines = Array.from({ length: rows }, (_, row): Row => {
    const text = words[row - top] ?? '';
    const left = Math.max(0, Math.floor((columns - text.length) / 2));
    return fitRow([span(' '.repeat(left) + text, WARN)], columns);
  });
  return { columns, lines, cursor: null };
}
