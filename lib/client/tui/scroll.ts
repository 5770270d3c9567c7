import type { Layout } from './format.ts';
import { geometryOf } from './geometry.ts';
import { blockHeight, bottomOf, layoutOf } from './message-pane.ts';
import type { Scroll, State, Window } from './state.ts';
import { activeWindow, asRead, changeWindow } from './windows.ts';

/** Moves the window on screen by that many rows; negative is up, towards older messages. */
export function scrollBy(state: State, rows: number): State {
  const window = activeWindow(state);
  const layout = layoutOf(state, geometryOf(state));
  const from = window.scroll ?? bottomOf(window, layout);
  return scrollTo(state, moved(window, from, rows, layout));
}

/** Moves the window so that the entry stands in its middle. */
export function scrollToEntry(state: State, serial: number): State {
  const window = activeWindow(state);
  const layout = layoutOf(state, geometryOf(state));
  const half = Math.floor(geometryOf(state).paneHeight / 2);
  const last = blockHeight(window, serial, layout) - 1;
  return scrollTo(state, moved(window, { serial, row: last }, half, layout));
}

export function scrollToTop(state: State): State {
  return scrollTo(state, { serial: activeWindow(state).log.first, row: 0 });
}

export function scrollToBottom(state: State): State {
  return changeWindow(state, state.active, (window) => asRead({ ...window, scroll: null }));
}

/** Rows of one page: the pane without the line that says that there is more, and one row kept for the eye. */
export function pageRows(state: State): number {
  return Math.max(1, geometryOf(state).paneHeight - 2);
}

/** Whether the oldest line is on screen. */
export function isAtTop(state: State): boolean {
  const window = activeWindow(state);
  const layout = layoutOf(state, geometryOf(state));
  const { paneHeight } = geometryOf(state);
  const bottom = window.scroll ?? bottomOf(window, layout);
  return rowsFromTop(window, bottom, layout, paneHeight) <= paneHeight - (window.scroll === null ? 0 : 1);
}

function scrollTo(state: State, target: Scroll): State {
  const window = activeWindow(state);
  const geometry = geometryOf(state);
  const layout = layoutOf(state, geometry);
  const scroll = notAboveTop(window, target, layout, geometry.paneHeight - 1);
  const bottom = bottomOf(window, layout);
  if (scroll.serial > bottom.serial || (scroll.serial === bottom.serial && scroll.row >= bottom.row))
    return scrollToBottom(state);
  return changeWindow(state, state.active, (shown) => ({ ...shown, scroll }));
}

/** That many rows further down (up, when negative), at most to the ends. */
function moved(window: Window, from: Scroll, rows: number, layout: Layout): Scroll {
  let { serial } = from;
  let row = Math.min(from.row, blockHeight(window, serial, layout) - 1) + rows;
  while (row < 0 && serial > window.log.first) {
    serial -= 1;
    row += blockHeight(window, serial, layout);
  }
  while (serial < window.log.end - 1 && row >= blockHeight(window, serial, layout)) {
    row -= blockHeight(window, serial, layout);
    serial += 1;
  }
  return { serial, row: Math.max(0, row) };
}

/** The first place at or below `at` with `height` rows to show: no blank rows above the oldest line. */
function notAboveTop(window: Window, at: Scroll, layout: Layout, height: number): Scroll {
  const above = rowsFromTop(window, at, layout, height);
  return above >= height ? at : moved(window, at, height - above, layout);
}

/** Rows from the oldest line to `at`, counted no further than needed. */
function rowsFromTop(window: Window, at: Scroll, layout: Layout, enough: number): number {
  let rows = at.row + 1;
  for (let serial = at.serial - 1; serial >= window.log.first && rows <= enough; serial -= 1) {
    rows += blockHeight(window, serial, layout);
  }
  return rows;
}
