import { sanitiseLine } from '../client/sanitise.ts';
import { widthOf } from '../client/tui/glyphs.ts';

export interface Column<T> {
  readonly title: string;
  /** Made safe to print; empty for nothing. */
  readonly text: (row: T) => string;
  /** Numbers stand on the right. */
  readonly isNumber?: boolean;
}

/** Rows as lines with their titles on top, in columns that line up whatever script the texts are in. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => sanitiseLine(text(row)) || '-')),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => widthOf(line[i] as string))));
  return cells.map((line) =>
    line
      .map((cell, i) => padded(cell, widths[i] as number, columns[i]?.isNumber === true))
      .join('  ')
      .trimEnd(),
  );
}

/** Names and values as lines. */
export function renderFacts(facts: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${sanitiseLine(value)}`);
}

/** `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 user`, `12 users`. */
export function formatMany(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const SIZE_UNITS = ['KiB', 'MiB', 'GiB'];

/** `512 B`, `1.5 KiB`, `20 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const larger of SIZE_UNITS) {
    if (value < 1_024) break;
    value /= 1_024;
    unit = larger;
  }
  return `${value < 10 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `2026-11-28 12:00`, in UTC: servers and their operators seldom share a time zone. */
export function formatMoment(ms: number): string {
  return `${new Date(Math.min(ms, 8.64e15)).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function padded(text: string, width: number, isRight: boolean): string {
  const blanks = ' '.repeat(width - widthOf(text));
  return isRight ? blanks + text : text + blanks;
}
