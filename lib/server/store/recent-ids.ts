import type { Fingerprint, MessageId } from '../../protocol/messages.ts';

/** How many of a room's newest ids are recognised when they come again; far more than a client leaves unacknowledged. */
const REMEMBERED_IDS = 4_096;

/** What was stored under an id. */
export interface Remembered {
  readonly seq: number;
  readonly ts: number;
}

interface Key {
  readonly id: MessageId;
  readonly fp: Fingerprint;
}

/**
 * The newest ids of a room. Every message is added and almost none is looked up, so adding only notes it, in columns, as an
 * object for each would be one more for the collector to carry along; the index is made when the first look-up comes.
 * Indexing each message took a third of the server's time for it.
 */
export class RecentIds {
  #ids: MessageId[] = [];
  #fps: Fingerprint[] = [];
  #seqs: number[] = [];
  #times: number[] = [];
  /** Places in the columns. */
  #index: Map<string, number> | undefined;
  /** How many of them the index has. */
  #indexed = 0;

  add({ id, fp }: Key, seq: number, ts: number): void {
    this.#ids.push(id);
    this.#fps.push(fp);
    this.#seqs.push(seq);
    this.#times.push(ts);
    if (this.#ids.length >= REMEMBERED_IDS * 2) this.#forgetOld();
  }

  /** What this sender stored under this id. Another sender's same id is another message. */
  find({ id, fp }: Key): Remembered | undefined {
    this.#index ??= new Map();
    for (; this.#indexed < this.#ids.length; this.#indexed += 1) {
      this.#index.set(`${this.#fps[this.#indexed]} ${this.#ids[this.#indexed]}`, this.#indexed);
    }
    const at = this.#index.get(`${fp} ${id}`);
    return at === undefined ? undefined : { seq: this.#seqs[at] as number, ts: this.#times[at] as number };
  }

  #forgetOld(): void {
    this.#ids = this.#ids.slice(-REMEMBERED_IDS);
    this.#fps = this.#fps.slice(-REMEMBERED_IDS);
    this.#seqs = this.#seqs.slice(-REMEMBERED_IDS);
    this.#times = this.#times.slice(-REMEMBERED_IDS);
    this.#index = undefined;
    this.#indexed = 0;
  }
}
