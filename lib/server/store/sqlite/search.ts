import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SearchQuery } from '../../hub/ports.ts';
import { matcherOf } from '../words.ts';
import { BLOCK_MESSAGES, blockStart, type Chunk, ID, SEQ_MASK } from './chunks.ts';
import { bodyOf, entryEnd } from './entries.ts';
import type { Span, Spans } from './spans.ts';
import { indexedWords } from './word-index.ts';

/** What one search reads at most, in messages and bytes, give or take a block. What it did not get to is said: `from`. */
const MAX_READ_MESSAGES = 20_000;
const MAX_READ_BYTES = 4_194_304;

/** Messages that match, as bytes that may be given to another thread, with their seqs. */
export interface Matches {
  readonly seqs: readonly number[];
  readonly entries: Uint8Array<ArrayBuffer>;
  readonly from: number;
}

/** Search by a thread that never writes. The index names blocks; each message in them is looked at itself. */
export class Searcher {
  readonly #spans: Spans;
  readonly #blocks: StatementSync;

  constructor(database: DatabaseSync, spans: Spans) {
    this.#spans = spans;
    this.#blocks = database.prepare(
      `SELECT rowid & ${SEQ_MASK} AS first FROM words WHERE words MATCH ? AND rowid BETWEEN ${ID} AND ${ID} ORDER BY rowid DESC`,
    );
  }

  search(room: string, { words, before = Infinity, limit }: SearchQuery, nowMs: number): Matches {
    const span = this.#spans.find(room, nowMs);
    if (span === undefined) return { seqs: [], entries: new Uint8Array(0), from: 1 };
    const wanted = new Set(words.flatMap(indexedWords));
    const hunt = new Hunt(words, limit);
    if (wanted.size === 0) return hunt.result(span.first);
    if (limit === 0) return hunt.result(span.last + 1);
    for (const [first, last] of this.#ranges(span, wanted, Math.min(span.last, before - 1))) {
      if (!hunt.goOn(this.#spans.chunks.span(span.id, first, last), first, last)) break;
    }
    return hunt.result(span.first);
  }

  /** Where the words may be: what is not in the index yet, then the blocks that it names, each newest first. */
  *#ranges({ id, first, indexed }: Span, wanted: ReadonlySet<string>, last: number): Generator<[number, number]> {
    for (let end = last; end > Math.max(indexed, first - 1); end -= BLOCK_MESSAGES) {
      yield [Math.max(indexed + 1, first, end - BLOCK_MESSAGES + 1), end];
    }
    const newest = Math.min(indexed, last);
    if (newest < first) return;
    // Words hold letters, marks and digits only: nothing of them can be read as a part of the query.
    const match = [...wanted].map((word) => `"${word}" *`).join(' ');
    const rows = this.#blocks.iterate(match, id, blockStart(first), id, newest);
    for (const { first: start } of rows as Iterable<unknown> as Iterable<{ first: number }>) {
      yield [Math.max(first, start), Math.min(newest, start + BLOCK_MESSAGES - 1)];
    }
  }
}

/** What one search has found so far, going back in time. */
class Hunt {
  readonly #matches: (text: string) => boolean;
  readonly #limit: number;
  /** Newest first. */
  readonly #found: { readonly seq: number; readonly entry: Uint8Array }[] = [];
  #readMessages = 0;
  #readBytes = 0;
  #from: number | undefined;

  constructor(words: readonly string[], limit: number) {
    this.#matches = matcherOf(words);
    this.#limit = limit;
  }

  /** Looks at these seqs, which are older than those before; false when it has enough, of finds or of work. */
  goOn(chunks: Iterable<Chunk>, first: number, last: number): boolean {
    const found = [...this.#matchesIn(chunks, first, last)].reverse();
    this.#found.push(...found.slice(0, this.#limit - this.#found.length));
    this.#readMessages += last - first + 1;
    if (this.#found.length === this.#limit) this.#from = this.#found.at(-1)?.seq;
    else if (this.#readMessages >= MAX_READ_MESSAGES || this.#readBytes >= MAX_READ_BYTES) this.#from = first;
    return this.#from === undefined;
  }

  /** `first` is how far it looked when nothing stopped it. */
  result(first: number): Matches {
    const inOrder = this.#found.toReversed();
    return {
      seqs: inOrder.map(({ seq }) => seq),
      entries: new Uint8Array(Buffer.concat(inOrder.map(({ entry }) => entry))),
      from: this.#from ?? first,
    };
  }

  *#matchesIn(chunks: Iterable<Chunk>, first: number, last: number) {
    for (const { first: chunkFirst, entries } of chunks) {
      this.#readBytes += entries.length;
      let seq = chunkFirst;
      for (let at = 0; at < entries.length && seq <= last; seq += 1) {
        const end = entryEnd(entries, at);
        if (seq >= first && this.#matches(bodyOf(entries, at))) yield { seq, entry: entries.subarray(at, end) };
        at = end;
      }
    }
  }
}
