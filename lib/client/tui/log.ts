/**
 * The lines of one window: a persistent list that grows at both ends and forgets from its start. Appending copies one
 * chunk and shares the rest, so `update` stays a pure function and 10,000 lines still cost a few milliseconds.
 */
export interface Log<T> {
  /** Serial of the first entry. Serials never change while an entry is kept; those of older history are negative. */
  readonly first: number;
  /** Serial after the last entry. */
  readonly end: number;
  /** All but the last are full. */
  readonly chunks: readonly (readonly T[])[];
}

const CHUNK_ENTRIES = 128;

/** Entries kept for one window: a day of a busy room, a few megabytes. Whole chunks are forgotten at a time. */
export const MAX_LOG_ENTRIES = 20_000;

export function emptyLog<T>(): Log<T> {
  return { first: 0, end: 0, chunks: [] };
}

export function logSize(log: Log<unknown>): number {
  return log.end - log.first;
}

/** The entry with that serial, if it is kept. */
export function entryAt<T>(log: Log<T>, serial: number): T | undefined {
  if (serial < log.first || serial >= log.end) return undefined;
  const slot = serial - log.first;
  return log.chunks[Math.floor(slot / CHUNK_ENTRIES)]?.[slot % CHUNK_ENTRIES];
}

/** The log with one more entry at its end. */
export function append<T>(log: Log<T>, entry: T): Log<T> {
  if (log.chunks.length === 0) return { first: log.end, end: log.end + 1, chunks: [[entry]] };
  const last = log.chunks[log.chunks.length - 1] as readonly T[];
  const chunks =
    last.length < CHUNK_ENTRIES ? [...log.chunks.slice(0, -1), [...last, entry]] : [...log.chunks, [entry]];
  return forget({ ...log, end: log.end + 1, chunks });
}

/** The log with another last entry. */
export function replaceLast<T>(log: Log<T>, entry: T): Log<T> {
  const last = log.chunks[log.chunks.length - 1];
  if (last === undefined) return append(log, entry);
  return { ...log, chunks: [...log.chunks.slice(0, -1), [...last.slice(0, -1), entry]] };
}

/** The log without its entries; what comes next goes on counting where it stood. */
export function cleared<T>(log: Log<T>): Log<T> {
  return { first: log.end, end: log.end, chunks: [] };
}

/** The log with older entries, in order, before its first. What would exceed the limit is left out from the front. */
export function prepend<T>(log: Log<T>, entries: readonly T[]): Log<T> {
  const room = Math.max(0, MAX_LOG_ENTRIES - logSize(log));
  const kept = room === 0 ? [] : entries.slice(-room);
  const all = [...kept, ...entriesOf(log)];
  const chunks: T[][] = [];
  for (let at = 0; at < all.length; at += CHUNK_ENTRIES) chunks.push(all.slice(at, at + CHUNK_ENTRIES));
  return { first: log.first - kept.length, end: log.end, chunks };
}

/** All entries, oldest first. */
export function entriesOf<T>(log: Log<T>): T[] {
  const entries: T[] = [];
  for (let serial = log.first; serial < log.end; serial += 1) entries.push(entryAt(log, serial) as T);
  return entries;
}

/** The serial of the newest entry below `before` that `matches`; null when there is none. */
export function findBackwards<T>(log: Log<T>, before: number, matches: (entry: T) => boolean): number | null {
  for (let serial = Math.min(before, log.end) - 1; serial >= log.first; serial -= 1) {
    if (matches(entryAt(log, serial) as T)) return serial;
  }
  return null;
}

/** The serial of the oldest entry above `after` that `matches`; null when there is none. */
export function findForwards<T>(log: Log<T>, after: number, matches: (entry: T) => boolean): number | null {
  for (let serial = Math.max(after + 1, log.first); serial < log.end; serial += 1) {
    if (matches(entryAt(log, serial) as T)) return serial;
  }
  return null;
}

function forget<T>(log: Log<T>): Log<T> {
  if (logSize(log) <= MAX_LOG_ENTRIES) return log;
  return { ...log, chunks: log.chunks.slice(1), first: log.first + CHUNK_ENTRIES };
}
