import type { Clock, Timer } from '../../../clock.ts';

/** How often some rooms are renewed, in milliseconds; also how soon at the latest an emptied Redis is noticed. */
const PULSE_MS = 5_000;
/** How many times a lease is renewed before it would end. */
const RENEWALS = 3;
/** How many rooms are looked after in each pulse at least, and how many at the same time. */
const MIN_RENEWED = 3;
const RENEWED_AT_ONCE = 100;

export interface LeasesOptions<R> {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** The rooms that are to be kept alive, in a steady order. */
  readonly rooms: () => MapIterator<R>;
  readonly count: () => number;
  /** Looks after one room. Whoever answers for the connection says why it rejects. */
  readonly renew: (room: R) => Promise<void>;
  /** Asked in each pulse, so that a loss is noticed where no room is open. */
  readonly isAlive: () => Promise<unknown>;
}

/** Goes over the open rooms again and again, a few at a time, so that each is renewed well before its lease ends. */
export class Leases<R> {
  readonly #options: LeasesOptions<R>;
  #timer: Timer | undefined;
  #isClosed = false;
  #round: Iterator<R> = [].values();
  /** Set while all rooms are looked after, and whether that is asked for once more. */
  #checking: 'idle' | 'running' | 'again' = 'idle';

  constructor(options: LeasesOptions<R>) {
    this.#options = options;
    this.#schedule();
  }

  /** Looks after every room at once. Never rejects: who calls when Redis is back calls again when it is back again. */
  async checkAll(): Promise<void> {
    if (this.#checking !== 'idle') {
      this.#checking = 'again';
      return;
    }
    do {
      this.#checking = 'running';
      await this.#renew([...this.#options.rooms()]);
    } while ((this.#checking as string) === 'again' && !this.#isClosed);
    this.#checking = 'idle';
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#options.clock.after(PULSE_MS, () => {
      void this.#pulse().finally(() => {
        if (!this.#isClosed) this.#schedule();
      });
    });
  }

  async #pulse(): Promise<void> {
    const { leaseMs, count, isAlive } = this.#options;
    const due = Math.max(MIN_RENEWED, Math.ceil((count() * PULSE_MS * RENEWALS) / leaseMs));
    await Promise.allSettled([isAlive(), this.#renew(this.#next(due))]);
  }

  /** The next rooms in line, each at most once. */
  #next(due: number): R[] {
    const next: R[] = [];
    const wanted = Math.min(due, this.#options.count());
    for (let turns = 0; next.length < wanted && turns < 2; ) {
      const { value, done } = this.#round.next();
      if (!done) next.push(value);
      else {
        turns += 1;
        this.#round = this.#options.rooms();
      }
    }
    return next;
  }

  /** Rooms that cannot be reached keep no others waiting, unless it is all of them. */
  async #renew(rooms: readonly R[]): Promise<void> {
    for (let i = 0; i < rooms.length && !this.#isClosed; i += RENEWED_AT_ONCE) {
      const some = rooms.slice(i, i + RENEWED_AT_ONCE);
      const results = await Promise.allSettled(some.map(this.#options.renew));
      if (results.every(({ status }) => status === 'rejected')) return;
    }
  }
}
