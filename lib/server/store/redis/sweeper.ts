import type { Clock, Timer } from '../../../clock.ts';
import type { RecordKind, Records } from '../../hub/ports.ts';

/** How often some entries are looked at, in milliseconds, and how many. */
const INTERVAL_MS = 60_000;
const CHUNK = 100;

/** The kinds whose records may end without anybody's doing. */
const KINDS: readonly RecordKind[] = ['room', 'read', 'ban', 'audit', 'setting'];

/**
 * Goes over the indexes of records, a little at a time: who lists takes out what is gone, and not every index is ever listed.
 */
export class Sweeper {
  readonly #records: Pick<Records, 'list'>;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isClosed = false;
  #kind = 0;
  #after: string | undefined;

  constructor(records: Pick<Records, 'list'>, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#clock.after(INTERVAL_MS, () => {
      // Another time, when Redis cannot be reached.
      void this.#sweep()
        .catch(() => undefined)
        .finally(() => {
          if (!this.#isClosed) this.#schedule();
        });
    });
  }

  async #sweep(): Promise<void> {
    const query = { limit: CHUNK, ...(this.#after === undefined ? {} : { after: this.#after }) };
    const found = await this.#records.list(KINDS[this.#kind] as RecordKind, query);
    this.#after = found.at(-1)?.key;
    if (found.length === CHUNK) return;
    this.#after = undefined;
    this.#kind = (this.#kind + 1) % KINDS.length;
  }
}
