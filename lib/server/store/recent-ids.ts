import type { Fingerprint, MessageId } from '../../protocol/messages.ts';

/** How many of a room's newest ids are recognised when they come again; far more than a client leaves unacknowledged. */
const REMEMBERED_IDS = 4_096;

/** What was stored under an id. */
export interface Remembered {
  readonly id: MessageId;
  readonly fp: Fingerprint;
  readonly seq: number;
  readonly ts: number;
}

/**
 * The newest ids of a room. Every message is added and almost none is looked up, so adding only notes it; the index is
 * made when the first look-up comes. Indexing each message took a third of the server's time for it.
 */
export class RecentIds {
  #all: Remembered[] = [];
  #index: Map<string, Remembered> | undefined;
  /** How many of `#all` the index has. */
  #indexed = 0;

  add(message: Remembered): void {
    this.#all.push(message);
    if (this.#all.length < REMEMBERED_IDS * 2) return;
    this.#all = this.#all.slice(-REMEMBERED_IDS);
    this.#index = undefined;
    this.#indexed = 0;
  }

  /** What this sender stored under this id. Another sender's same id is another message. */
  find({ id, fp }: Pick<Remembered, 'id' | 'fp'>): Remembered | undefined {
    this.#index ??= new Map();
    for (; this.#indexed < this.#all.length; this.#indexed += 1) {
      const message = this.#all[this.#indexed] as Remembered;
      this.#index.set(keyOf(message), message);
    }
    return this.#index.get(keyOf({ id, fp }));
  }
}

function keyOf({ id, fp }: Pick<Remembered, 'id' | 'fp'>): string {
  return `${fp} ${id}`;
}
