import { sanitiseLine } from '../sanitise.ts';
import { widthOf } from './glyphs.ts';
import { cutText, fitRow, rowWidth, spreadRow } from './rows.ts';
import type { State, Window } from './state.ts';
import {
  ACCENT_STRONG,
  BAR,
  BAR_ACCENT,
  BAR_DIM,
  BAR_STRONG,
  CHOSEN,
  DIM,
  FAINT,
  type Row,
  STRONG,
  type Style,
  span,
  TEXT,
} from './style.ts';

/** The windows that can be gone to, with their numbers; `home` only while it is alone. */
export function listedWindows(
  state: State,
): { readonly window: Window; readonly index: number; readonly number: number }[] {
  const all = state.windows.map((window, index) => ({ window, index }));
  const listed = all.length === 1 ? all : all.slice(1);
  return listed.map((item, position) => ({ ...item, number: position + 1 }));
}

/** `#lobby` for a room, the bare name for a person. */
export function labelOf(window: Window): string {
  return window.kind === 'room' ? `#${sanitiseLine(window.name)}` : sanitiseLine(window.name);
}

/** The column of rooms, `height` rows of `width` columns, a rule at its right. */
export function roomList(state: State, width: number, height: number): Row[] {
  const items = listedWindows(state);
  const current = items.findIndex(({ index }) => index === state.active);
  // A long list moves so that the current room stays in sight.
  const from = Math.max(0, Math.min(current - Math.floor(height / 2), items.length - height));
  const rows = items.slice(from, from + height).map(({ window, index, number }) => {
    const isActive = index === state.active;
    return [...roomRow(window, number, isActive, width - 1), span('│', FAINT)];
  });
  const blank = [span(' '.repeat(width - 1), TEXT), span('│', FAINT)];
  return [...rows, ...Array.from({ length: height - rows.length }, () => blank)];
}

/** The rooms in one line, for screens without room for the column; the current one is always in sight. */
function roomStrip(state: State, width: number): Row {
  const tabs = listedWindows(state).map(({ window, index, number }) => ({
    row: tabRow(window, number, index === state.active),
    isActive: index === state.active,
  }));
  const active = Math.max(
    0,
    tabs.findIndex((tab) => tab.isActive),
  );
  let from = 0;
  while (from < active && stripWidth(tabs.slice(from, active + 1)) + (from > 0 ? 2 : 0) > width) from += 1;
  const head: Row = from > 0 ? [span(' <', BAR_DIM)] : [];
  return [...head, ...tabs.slice(from).flatMap(({ row }) => row)];
}

function stripWidth(tabs: readonly { readonly row: Row }[]): number {
  return tabs.reduce((sum, { row }) => sum + rowWidth(row), 0);
}

function roomRow(window: Window, number: number, isActive: boolean, width: number): Row {
  const ground: Style = isActive ? CHOSEN : TEXT;
  const style: Style = isActive
    ? CHOSEN
    : window.mentions > 0
      ? ACCENT_STRONG
      : window.unread > 0
        ? STRONG
        : nameStyle(window);
  const count = isActive && window.scroll === null ? '' : countOf(window);
  const marks = [lockOf(window), count].filter((mark) => mark !== '').join(' ');
  const markStyle: Style = {
    ...(window.mentions > 0 ? ACCENT_STRONG : DIM),
    ...(isActive ? { ground: 'chosen' as const } : {}),
  };
  const left: Row = [
    span(`${String(number).padStart(2)} `, isActive ? { ...DIM, ground: 'chosen' } : FAINT),
    span(cutText(labelOf(window), width - 4 - widthOf(marks)), style),
  ];
  return spreadRow(left, marks === '' ? [] : [span(marks, markStyle), span(' ', ground)], width, ground);
}

function tabRow(window: Window, number: number, isActive: boolean): Row {
  const style = isActive ? BAR_STRONG : window.mentions > 0 ? BAR_ACCENT : window.unread > 0 ? BAR : BAR_DIM;
  const count = isActive && window.scroll === null ? '' : countOf(window);
  const label = cutText(labelOf(window), 16);
  const lock = lockOf(window);
  return [
    span(` ${number} `, BAR_DIM),
    span(label, style),
    ...(lock === '' ? [] : [span(lock, BAR_DIM)]),
    span(count === '' ? ' ' : ` ${count} `, window.mentions > 0 ? BAR_ACCENT : BAR_DIM),
  ];
}

/** The mark of a room that opens with a code only. */
function lockOf({ access }: Window): string {
  return access === 'locked' ? LOCK : '';
}

const LOCK = '\u{1f512}';

/** Those that wait to be read, those that speak to us with a mark. */
function countOf({ unread, mentions }: Window): string {
  const most = (count: number): string => (count > 999 ? '999+' : String(count));
  if (mentions > 0) return `@${most(mentions)}`;
  return unread > 0 ? most(unread) : '';
}

function nameStyle(window: Window): Style {
  return window.isJoined ? TEXT : FAINT;
}

/** The line at the top: the rooms unless they have their own column, then the topic. */
export function topLine(state: State, hasRoomList: boolean): Row {
  const window = state.windows[state.active] as Window;
  const locked: Row = window.access === 'locked' ? [span('locked ', BAR_DIM)] : [];
  const title: Row = hasRoomList
    ? [span(` ${labelOf(window)} `, BAR_STRONG), ...locked]
    : roomStrip(state, state.columns);
  const left = state.columns - rowWidth(title);
  const topic =
    window.topic === null || left < 12
      ? []
      : [span(' ', BAR), span(cutText(sanitiseLine(window.topic), left - 2), BAR_DIM)];
  return fitRow([...title, ...topic], state.columns, BAR);
}
