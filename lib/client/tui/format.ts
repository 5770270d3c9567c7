import { sanitiseLine } from '../sanitise.ts';
import type { Entry, MessageEntry, NoticeEntry, Pending } from './state.ts';
import {
  ACCENT_STRONG,
  DIM,
  ERROR,
  FOUND,
  LINK,
  nickStyle,
  type Row,
  type Span,
  type Style,
  span,
  TEXT,
  WARN,
} from './style.ts';
import { wrapRow } from './wrap.ts';

/** How an entry is laid out. */
export interface Layout {
  /** Columns for its rows. */
  readonly width: number;
  /** Whether the author's name stands at the start of the text, there being no column for it. */
  readonly isInline: boolean;
  /** What is looked for and shown where it occurs; empty: nothing. */
  readonly query: string;
}

interface Formatted {
  readonly layout: Layout;
  readonly rows: readonly Row[];
}

const formatted = new WeakMap<Entry, Formatted>();
const URLS = /\b(?:https?|bcast):\/\/[^\s<>"]+/g;

/** More lines of one message than this are not shown; nobody's paste may bury a room. */
const MAX_LINES = 200;

/** An entry's text as rows of at most `layout.width` columns. Memoised. */
export function bodyRows(entry: Entry, layout: Layout): readonly Row[] {
  const known = formatted.get(entry);
  if (known !== undefined && isSame(known.layout, layout)) return known.rows;
  const lines = entry.type === 'message' ? messageLines(entry, layout.isInline) : noticeLines(entry);
  const { query, width } = layout;
  const rows = lines.flatMap((line) => wrapRow(query === '' ? line : withFound(line, query), width));
  formatted.set(entry, { layout, rows });
  return rows;
}

/** A message that is not yet acknowledged, as rows. One that has waited for long says so. */
export function pendingRows({ body, kind, to }: Pending, me: string, width: number, isLate: boolean): readonly Row[] {
  const text = `${to === 'followers' ? FOR_FOLLOWERS : ''}${kind === 'action' ? `${me} ${body}` : body}`;
  const lines = safeLines(text).map((line): Row => [span(line, DIM)]);
  return (isLate ? withRemark(lines, UNSTORED) : lines).flatMap((line) => wrapRow(line, width));
}

const FOR_FOLLOWERS = 'to followers: ';
const UNSTORED = ' (not stored yet)';

/** The lines with a few words of ours behind the last. */
function withRemark(lines: readonly Row[], remark: string): Row[] {
  return [...lines.slice(0, -1), [...(lines.at(-1) ?? []), span(remark, WARN)]];
}

/** What a search looks through. */
export function searchText(entry: Entry): string {
  if (entry.type === 'message') return `${entry.from} ${entry.body}`;
  return `${entry.who.join(' ')} ${entry.text}`;
}

/** `HH:MM` in the local time zone. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `Saturday, 21 November 2026` in the local time zone. */
export function dayName(ms: number): string {
  const date = new Date(ms);
  return `${DAYS[date.getDay()]}, ${date.getDate()} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
}

export function isSameDay(a: number, b: number): boolean {
  const { start, end } = dayAround(a);
  return b >= start && b < end;
}

let day = { start: 0, end: 0 };

/** The local day that holds this moment; the last one asked for is remembered, since it is nearly always the same. */
function dayAround(ms: number): { readonly start: number; readonly end: number } {
  if (ms >= day.start && ms < day.end) return day;
  const date = new Date(ms);
  const [year, month, date0] = [date.getFullYear(), date.getMonth(), date.getDate()];
  day = { start: new Date(year, month, date0).getTime(), end: new Date(year, month, date0 + 1).getTime() };
  return day;
}

/** The lines of a text from anybody, each safe to print. */
function safeLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  const shown = lines.slice(0, MAX_LINES).map(sanitiseLine);
  return lines.length > MAX_LINES ? [...shown, `[${lines.length - MAX_LINES} more lines]`] : shown;
}

/** Where `text` speaks of `name` as a word of its own: the start of each place. */
export function mentions(text: string, name: string): boolean {
  return wordPattern(name).test(text);
}

function isSame(a: Layout, b: Layout): boolean {
  return a.width === b.width && a.isInline === b.isInline && a.query === b.query;
}

function messageLines(entry: MessageEntry, isInline: boolean): Row[] {
  const { body, from, kind, mention, isStored, isPublished } = entry;
  const plain = safeLines(body).map((line): Row => (isStored ? marked(line, mention) : [span(line, DIM)]));
  const stored = isStored ? plain : withRemark(plain, UNSTORED);
  const lines = isPublished ? withPrefix(stored, FOR_FOLLOWERS) : stored;
  if (kind === 'text' && !isInline) return lines;
  const [first = [], ...rest] = lines;
  const star = kind === 'action' && isInline ? [span('* ', DIM)] : [];
  return [[...star, span(sanitiseLine(from), nickStyle(from)), span(' ', TEXT), ...first], ...rest];
}

function withPrefix([first = [], ...rest]: readonly Row[], prefix: string): Row[] {
  return [[span(prefix, DIM), ...first], ...rest];
}

function noticeLines({ who, text, tone }: NoticeEntry): Row[] {
  const style = NOTICE_STYLES[tone];
  const names = who.flatMap((name, index): Span[] => [
    ...(index === 0 ? [] : [span(', ', style)]),
    span(sanitiseLine(name), nickStyle(name)),
  ]);
  const [first = '', ...rest] = safeLines(text);
  const gap = names.length > 0 ? ' ' : '';
  return [[...names, span(gap + first, style)], ...rest.map((line) => [span(line, style)])];
}

const NOTICE_STYLES = { info: DIM, join: DIM, leave: DIM, warn: WARN, error: ERROR } as const;

/** Links underlined, our own name in the accent. */
function marked(line: string, mention: string | null): Row {
  const row = restyled([span(line, TEXT)], URLS, LINK);
  return mention === null ? row : restyled(row, wordPattern(mention, 'g'), ACCENT_STRONG);
}

function withFound(row: Row, query: string): Row {
  return restyled(row, new RegExp(escaped(query), 'giu'), FOUND);
}

/** The row with every match of the (global) pattern in another style; a match never spans two styles. */
function restyled(row: Row, pattern: RegExp, style: Style): Row {
  return row.flatMap((piece) => {
    const spans: Span[] = [];
    let at = 0;
    for (const match of piece.text.matchAll(pattern)) {
      if (match[0] === '') continue;
      if (match.index > at) spans.push(span(piece.text.slice(at, match.index), piece.style));
      spans.push(span(match[0], style));
      at = match.index + match[0].length;
    }
    if (at === 0) return [piece];
    return at < piece.text.length ? [...spans, span(piece.text.slice(at), piece.style)] : spans;
  });
}

const patterns = new Map<string, RegExp>();

/** The name with no letter, digit or joining mark of a longer name on either side, in any case. */
function wordPattern(name: string, flags: '' | 'g' = ''): RegExp {
  const id = `${flags} ${name}`;
  const known = patterns.get(id);
  if (known !== undefined) {
    known.lastIndex = 0;
    return known;
  }
  const before = '(?<![\\p{L}\\p{M}\\p{N}_])(?<![\\p{L}\\p{M}\\p{N}_][-.])';
  const after = '(?![\\p{L}\\p{M}\\p{N}_])(?![-.][\\p{L}\\p{N}_])';
  const pattern = new RegExp(`${before}${escaped(name)}${after}`, `iu${flags}`);
  // Our own names only: one, and a few more after /nick.
  if (patterns.size > 16) patterns.clear();
  patterns.set(id, pattern);
  return pattern;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => (character === '-' ? '\\x2d' : `\\${character}`));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
