import { editorRows, promptOf } from './editor-rows.ts';
import { widthOf } from './glyphs.ts';
import type { State, Window } from './state.ts';

/** Below this the screen says so and waits. */
export const MIN_COLUMNS = 40;
export const MIN_ROWS = 10;

/** Columns from which the rooms stand in a column of their own, and not in the top line. */
const ROOMS_FROM_COLUMNS = 100;
/** Columns from which the members have room beside the messages. */
const MEMBERS_FROM_COLUMNS = 72;
/** With its rule. */
const ROOMS_COLUMNS = 20;
const MEMBERS_COLUMNS = 18;
/** Names stand before their text; in narrow panes the text needs the room. */
const WIDE_PANE_COLUMNS = 64;
const NARROW_PANE_COLUMNS = 46;
const MAX_INPUT_ROWS = 8;

/** Where everything stands, in columns and rows. */
export interface Geometry {
  readonly isTooSmall: boolean;
  /** Columns of the list of rooms with its rule; 0: it is not shown. */
  readonly roomsWidth: number;
  /** Columns of the members with their rule; 0: they are not shown. */
  readonly membersWidth: number;
  readonly paneWidth: number;
  readonly paneHeight: number;
  /** Columns for names; 0: the name stands at the start of the text. */
  readonly nickWidth: number;
  /** Columns for a message's text. */
  readonly textWidth: number;
  /** Columns for the text being written. */
  readonly inputWidth: number;
  readonly inputHeight: number;
}

/** Columns of `HH:MM` and the blanks around it. */
const TIME_COLUMNS = 7;
/** Continuation lines in panes too narrow for a column of names stand in by this. */
export const INLINE_INDENT = 7;

export function geometryOf(state: State): Geometry {
  const { columns, rows } = state;
  const window = state.windows[state.active] as Window;
  const roomsWidth = state.showsRooms && columns >= ROOMS_FROM_COLUMNS ? ROOMS_COLUMNS : 0;
  const hasMembers = state.showsMembers && columns >= MEMBERS_FROM_COLUMNS && window.kind === 'room';
  const membersWidth = hasMembers ? MEMBERS_COLUMNS : 0;
  const paneWidth = columns - roomsWidth - membersWidth;
  const nickWidth = paneWidth >= WIDE_PANE_COLUMNS ? 12 : paneWidth >= NARROW_PANE_COLUMNS ? 10 : 0;
  const gutter = nickWidth === 0 ? INLINE_INDENT : TIME_COLUMNS + nickWidth + 2;
  const inputWidth = Math.max(1, columns - widthOf(promptOf(state)) - 1);
  // Looking for something takes one row, whatever was being written.
  const wanted = state.mode.type === 'write' ? editorRows(state.editor, inputWidth).rows.length : 1;
  const inputHeight = Math.max(1, Math.min(wanted, MAX_INPUT_ROWS, Math.floor((rows - 4) / 2)));
  return {
    isTooSmall: columns < MIN_COLUMNS || rows < MIN_ROWS,
    roomsWidth,
    membersWidth,
    paneWidth,
    paneHeight: Math.max(1, rows - 2 - inputHeight),
    nickWidth,
    // One column of air on the right.
    textWidth: Math.max(1, paneWidth - gutter - 1),
    inputWidth,
    inputHeight,
  };
}
