import { sanitiseLine } from '../sanitise.ts';
import { bodyRows, clockTime, dayName, isSameDay, type Layout, pendingRows } from './format.ts';
import { type Geometry, INLINE_INDENT } from './geometry.ts';
import { entryAt } from './log.ts';
import { cutText, fitRow, rowWidth } from './rows.ts';
import type { Entry, Pending, Scroll, State, Tone, Window } from './state.ts';
import {
  ACCENT,
  ACCENT_STRONG,
  DIM,
  ERROR,
  FAINT,
  nickStyle,
  type Row,
  type Span,
  type Style,
  span,
  TEXT,
  WARN,
} from './style.ts';

/** Messages of one author stand under one name when they follow each other within this. */
const GROUP_MS = 300_000;

/** The message pane's rows, `geometry.paneHeight` of them, each `geometry.paneWidth` columns. */
export function messagePane(state: State, window: Window, geometry: Geometry): Row[] {
  const { paneWidth, paneHeight } = geometry;
  const rows = window.scroll === null ? tailRows(state, window, geometry) : scrolledRows(state, window, geometry);
  const shown = rows.slice(-paneHeight).map((row) => fitRow(row, paneWidth));
  const blank = fitRow([], paneWidth);
  return [...Array.from({ length: paneHeight - shown.length }, () => blank), ...shown];
}

/** How the window's entries are laid out now. */
export function layoutOf(state: State, geometry: Geometry): Layout {
  const query = state.mode.type === 'search' ? state.mode.query : '';
  return { width: geometry.textWidth, isInline: geometry.nickWidth === 0, query };
}

/** How many rows an entry takes, with the rules above it. */
export function blockHeight(window: Window, serial: number, layout: Layout): number {
  const entry = entryAt(window.log, serial);
  if (entry === undefined) return 0;
  return (
    bodyRows(entry, layout).length + (hasDate(window, serial, entry) ? 1 : 0) + (window.newFrom === serial ? 1 : 0)
  );
}

/** Where a window stands when its last row is the newest. */
export function bottomOf(window: Window, layout: Layout): Scroll {
  const serial = window.log.end - 1;
  return { serial, row: Math.max(0, blockHeight(window, serial, layout) - 1) };
}

function tailRows(state: State, window: Window, geometry: Geometry): Row[] {
  const layout = layoutOf(state, geometry);
  const pending = window.pending.flatMap((item) =>
    gutterRows(
      pendingRows(item, state.me ?? '', geometry.textWidth, isLate(item, state)),
      clockTime(item.ts),
      span('…', DIM),
      geometry,
    ),
  );
  return [...rowsUpFrom(window, bottomOf(window, layout), geometry, layout), ...pending];
}

/** Nobody wants to read of a delay that is over when it is read. */
const LATE_MS = 2_000;

function isLate({ ts }: Pending, { nowMs }: State): boolean {
  return nowMs - ts >= LATE_MS;
}

function scrolledRows(state: State, window: Window, geometry: Geometry): Row[] {
  const layout = layoutOf(state, geometry);
  const rows = rowsUpFrom(window, window.scroll as Scroll, geometry, layout);
  const fresh = window.unread === 0 ? 'scrolled back · ' : `${window.unread} new below · `;
  return [...rows.slice(-(geometry.paneHeight - 1)), rule(`${fresh}Alt-End`, geometry.paneWidth, FAINT, ACCENT)];
}

/** The rows that end at `bottom`, as many as the pane has. */
function rowsUpFrom(window: Window, bottom: Scroll, geometry: Geometry, layout: Layout): Row[] {
  const blocks: Row[][] = [];
  let height = 0;
  for (let { serial } = bottom; serial >= window.log.first && height < geometry.paneHeight; serial -= 1) {
    const whole = blockRows(window, serial, geometry, layout);
    const rows = serial === bottom.serial ? whole.slice(0, bottom.row + 1) : whole;
    height += rows.length;
    blocks.push(rows);
  }
  return blocks.reverse().flat();
}

function blockRows(window: Window, serial: number, geometry: Geometry, layout: Layout): Row[] {
  const entry = entryAt(window.log, serial) as Entry;
  const rules: Row[] = [];
  if (hasDate(window, serial, entry)) rules.push(rule(dayName(entry.ts), geometry.paneWidth, FAINT, DIM));
  if (window.newFrom === serial) rules.push(rule('new', geometry.paneWidth, ACCENT, ACCENT));
  const isGrouped = rules.length === 0 && continues(entryAt(window.log, serial - 1), entry);
  const name = isGrouped ? span('', DIM) : nameOf(entry, geometry.nickWidth);
  const time = isGrouped && isSameMinute(entryAt(window.log, serial - 1), entry) ? '' : clockTime(entry.ts);
  return [...rules, ...gutterRows(bodyRows(entry, layout), time, name, geometry)];
}

/** Puts time and name before the first row, and blanks before the others. */
function gutterRows(body: readonly Row[], time: string, name: Span, { nickWidth }: Geometry): Row[] {
  const first: Row =
    nickWidth === 0
      ? [span(` ${time.padEnd(5)} `, DIM)]
      : [span(` ${time.padEnd(5)} `, DIM), ...rightAligned(name, nickWidth), span('  ', TEXT)];
  const indent = [span(' '.repeat(nickWidth === 0 ? INLINE_INDENT : rowWidth(first)), TEXT)];
  return body.map((row, index) => [...(index === 0 ? first : indent), ...row]);
}

function rightAligned(name: Span, width: number): Row {
  const text = cutText(name.text, width);
  return [span(' '.repeat(Math.max(0, width - rowWidth([span(text, TEXT)]))), TEXT), span(text, name.style)];
}

function nameOf(entry: Entry, width: number): Span {
  if (entry.type === 'notice') return TONES[entry.tone];
  if (entry.kind === 'action') return span('*', DIM);
  const style: Style = entry.mention === null ? nickStyle(entry.from) : ACCENT_STRONG;
  const name = span(cutText(sanitiseLine(entry.from), width), style);
  return entry.isOwn ? { text: name.text, style: { ...style, bold: true } } : name;
}

const TONES: Readonly<Record<Tone, Span>> = {
  info: span('·', DIM),
  join: span('→', DIM),
  leave: span('←', DIM),
  warn: span('!', WARN),
  error: span('!', ERROR),
};

/** Whether an entry goes on where the one before it stopped. */
function continues(before: Entry | undefined, entry: Entry): boolean {
  if (before?.type !== 'message' || entry.type !== 'message') return false;
  if (before.kind !== 'text' || entry.kind !== 'text' || entry.mention !== null) return false;
  if (before.isPublished !== entry.isPublished) return false;
  return before.from === entry.from && Math.abs(entry.ts - before.ts) < GROUP_MS;
}

function isSameMinute(before: Entry | undefined, entry: Entry): boolean {
  return before !== undefined && Math.floor(before.ts / 60_000) === Math.floor(entry.ts / 60_000);
}

function hasDate(window: Window, serial: number, entry: Entry): boolean {
  const before = entryAt(window.log, serial - 1);
  return before === undefined ? entry.type === 'message' : !isSameDay(before.ts, entry.ts);
}

/** A thin rule across the pane with a few words in it. */
function rule(words: string, width: number, line: Style, style: Style): Row {
  const text = ` ${cutText(words, width - 8)} `;
  const left = Math.max(0, Math.floor((width - rowWidth([span(text, TEXT)])) / 2));
  const right = Math.max(0, width - left - rowWidth([span(text, TEXT)]));
  return [span('─'.repeat(left), line), span(text, style), span('─'.repeat(right), line)];
}
