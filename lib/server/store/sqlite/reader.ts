import type { DatabaseSync } from 'node:sqlite';
import type { Bounds, PageQuery, SearchQuery } from '../../hub/ports.ts';
import { cut } from './chunks.ts';
import { openForReading } from './database.ts';
import { type Matches, Searcher } from './search.ts';
import { type Keeping, type Span, Spans } from './spans.ts';

/** Messages in a row, as bytes that may be given to another thread. */
export interface Page {
  readonly firstSeq: number;
  readonly entries: Uint8Array<ArrayBuffer>;
}

/** What the thread that reads can be asked. It sees everything that was answered to the one that writes. */
export interface ReaderCalls {
  bounds(room: string, nowMs: number): Bounds | null;
  read(room: string, query: PageQuery, nowMs: number): Page;
  search(room: string, query: SearchQuery, nowMs: number): Matches;
  /** Copies into the file what of the log is not there yet; whoever writes is not held up. */
  checkpoint(): void;
  close(): void;
}

/** Reads a file that a writer has opened; opens it itself with the first call. */
export function createReader({ path, ...keeping }: Keeping & { readonly path: string }): ReaderCalls {
  let opened: Opened | undefined;
  const file = (): Opened => {
    opened ??= openFile(path, keeping);
    return opened;
  };
  return {
    bounds(room, nowMs) {
      const span = file().spans.find(room, nowMs);
      return span === undefined ? null : { incarnation: span.incarnation, first: span.first, last: span.last };
    },
    read(room, query, nowMs) {
      const { spans } = file();
      return readPage(spans, spans.find(room, nowMs), query);
    },
    search: (room, query, nowMs) => file().searcher.search(room, query, nowMs),
    checkpoint: () => file().database.exec('PRAGMA wal_checkpoint(PASSIVE)'),
    close: () => opened?.database.close(),
  };
}

interface Opened {
  readonly database: DatabaseSync;
  readonly spans: Spans;
  readonly searcher: Searcher;
}

function openFile(path: string, keeping: Keeping): Opened {
  const database = openForReading(path);
  const spans = new Spans(database, keeping);
  return { database, spans, searcher: new Searcher(database, spans) };
}

function readPage(spans: Spans, span: Span | undefined, query: PageQuery): Page {
  if (span === undefined) return { firstSeq: 1, entries: new Uint8Array(0) };
  const [first, last] = rangeOf(spans, span, query);
  const parts = [...spans.chunks.span(span.id, first, last)].map((chunk) => cut(chunk, first, last));
  return { firstSeq: first, entries: joined(parts) };
}

function rangeOf(
  spans: Spans,
  span: Span,
  { after, before = Infinity, sinceMs, limit }: PageQuery,
): readonly [first: number, last: number] {
  const last = Math.min(span.last, before - 1);
  const least = Math.max(span.first, (after ?? 0) + 1);
  const first = sinceMs === undefined ? least : spans.chunks.firstSince(span.id, least, span.last, sinceMs);
  if (after !== undefined) return [first, Math.min(last, first + limit - 1)];
  return [Math.max(first, last - limit + 1), last];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
