/**
 * The lines of one window: a persistent list that grows at both ends and forgets from its start. Appending copies a short
 * tail and shares the rest, so `update` stays a pure function and 10,000 lines still cost a few milliseconds.
 */
export interface Log<T> {
  /** Serial of the first entry. Serials never change while an entry is kept; those of older history are negative. */
  readonly first: number;
  /** Serial after the last entry. */
  readonly end: number;
  /** All full. */
  readonly chunks: readonly (readonly T[])[];
  /** What follows the chunks; shorter than one. */
  readonly tail: readonly T[];
}

const CHUNK_ENTRIES = 32;

/** Entries kept for one window: a day of a busy room, a few megabytes. Whole chunks are forgotten at a time. */
export const MAX_LOG_ENTRIES = 20_000;

export function emptyLog<T>(): Log<T> {
  return { first: 0, end: 0, chunks: [], tail: [] };
}

export function logSize(log: Log<unknown>): number {
  return log.end - log.first;
}

/** The entry with that serial, if it is kept. */
export function entryAt<T>({ first, end, chunks, tail }: Log<T>, serial: number): T | undefined {
  if (serial < first || serial >= end) return undefined;
  const slot = serial - first;
  const chunk = chunks[Math.floor(slot / CHUNK_ENTRIES)] ?? tail;
  return chunk[slot % CHUNK_ENTRIES];
}

/** The log with one more entry at its end. */
export function append<T>(log: Log<T>, entry: T): Log<T> {
  const tail = log.tail.concat([entry]);
  const end = log.end + 1;
  if (tail.length < CHUNK_ENTRIES) return forget({ first: log.first, end, chunks: log.chunks, tail });
  return forget({ first: log.first, end, chunks: log.chunks.concat([tail]), tail: [] });
}

/** The log with another last entry. */
export function replaceLast<T>(log: Log<T>, entry: T): Log<T> {
  if (log.tail.length > 0) return { ...log, tail: log.tail.with(-1, entry) };
  const last = log.chunks.at(-1);
  return last === undefined ? append(log, entry) : { ...log, chunks: log.chunks.with(-1, last.with(-1, entry)) };
}

/** The log with another entry in that place; unchanged when there is none any more. */
export function replaceAt<T>(log: Log<T>, serial: number, entry: T): Log<T> {
  if (serial < log.first || serial >= log.end) return log;
  const slot = serial - log.first;
  const index = Math.floor(slot / CHUNK_ENTRIES);
  const chunk = log.chunks[index];
  if (chunk === undefined) return { ...log, tail: log.tail.with(slot % CHUNK_ENTRIES, entry) };
  return { ...log, chunks: log.chunks.with(index, chunk.with(slot % CHUNK_ENTRIES, entry)) };
}

/** The log without its entries; what comes next goes on counting where it stood. */
export function cleared<T>(log: Log<T>): Log<T> {
  return { first: log.end, end: log.end, chunks: [], tail: [] };
}

/** The log with older entries, in order, before its first. What would exceed the limit is left out from the front. */
export function prepend<T>(log: Log<T>, entries: readonly T[]): Log<T> {
  const room = Math.max(0, MAX_LOG_ENTRIES - logSize(log));
  const kept = room === 0 ? [] : entries.slice(-room);
  const all = [...kept, ...entriesOf(log)];
  const chunks: T[][] = [];
  let at = 0;
  for (; at + CHUNK_ENTRIES <= all.length; at += CHUNK_ENTRIES) chunks.push(all.slice(at, at + CHUNK_ENTRIES));
  return { first: log.first - kept.length, end: log.end, chunks, tail: all.slice(at) };
}

/** All entries, oldest first. */
export function entriesOf<T>(log: Log<T>): T[] {
  return [...log.chunks, log.tail].flat() as T[];
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
