import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { wordsOf } from '../words.ts';
import { BLOCK_MESSAGES, blockStart, type ChunkReader, ID } from './chunks.ts';
import { bodyOf, entryEnd } from './entries.ts';
import type { RoomRow } from './spans.ts';

/** Of a longer word only so much is looked up in the index, in UTF-16 units; the message itself decides in the end. */
const MAX_WORD_UNITS = 64;

/** The words of a text as the index has them. */
export function indexedWords(text: string): string[] {
  return wordsOf(text).map((word) => word.slice(0, MAX_WORD_UNITS));
}

/** What one step of merging writes, in pages. */
const MERGE_PAGES = 16;

/** Says of each block of messages which words stand in it. */
export class WordIndex {
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #merge: StatementSync;
  readonly #changes: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(`INSERT INTO words (rowid, text) VALUES (${ID}, ?)`);
    this.#merge = database.prepare(`INSERT INTO words (words, rank) VALUES ('merge', ?)`);
    this.#changes = database.prepare('SELECT total_changes() AS count');
    this.#remove = database.prepare(`DELETE FROM words WHERE rowid = ${ID}`);
  }

  /** Adds the block that begins with `first`; all its messages must be there. */
  add(chunks: ChunkReader, room: number, first: number): void {
    const words = new Set<string>();
    for (const { entries } of chunks.span(room, first, first + BLOCK_MESSAGES - 1)) {
      for (let at = 0; at < entries.length; at = entryEnd(entries, at)) {
        for (const word of indexedWords(bodyOf(entries, at))) words.add(word);
      }
    }
    this.#insert.run(room, first, [...words].join(' '));
  }

  /** Merges a little of what was added and removed, so that searches stay quick; true when there may be more. */
  merge(): boolean {
    const count = () => Number(this.#changes.get()?.['count']);
    const before = count();
    this.#merge.run(MERGE_PAGES);
    // By the FTS5 manual, one that did nothing counts as less than two changes.
    return count() - before >= 2;
  }

  /** Removes the room's blocks that lie wholly below `end`. */
  removeBelow({ id, floor, indexed }: Pick<RoomRow, 'id' | 'floor' | 'indexed'>, end: number): void {
    const last = Math.min(end - 1, indexed);
    for (let first = blockStart(floor); first + BLOCK_MESSAGES - 1 <= last; first += BLOCK_MESSAGES) {
      this.#remove.run(id, first);
    }
  }
}
