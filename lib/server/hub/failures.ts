import type { Clock } from '../../clock.ts';

/** Keys of which failures are remembered at once; those that would be forgotten first make room. */
const MAX_KEYS = 100_000;

interface Count {
  failures: number;
  readonly endsMs: number;
}

/** Counts failures by key within a window of time that begins with the first. */
export class Failures {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many there were lately. */
  of(key: string): number {
    return this.#current(key)?.failures ?? 0;
  }

  /** Until they are forgotten, in milliseconds. */
  forgottenInMs(key: string): number {
    const count = this.#current(key);
    return count === undefined ? 0 : Math.ceil(count.endsMs - this.#clock.monotonicMs());
  }

  /** Counts one more for each of the keys. */
  add(keys: readonly string[], windowMs: number): void {
    for (const key of keys) {
      const count = this.#current(key) ?? { failures: 0, endsMs: this.#clock.monotonicMs() + windowMs };
      count.failures += 1;
      this.#counts.set(key, count);
    }
    this.#forgetOld();
  }

  /** Whether there was anything to forget. */
  clear(key: string): boolean {
    return this.#counts.delete(key);
  }

  /** The keys with at least so many, each with the time until they are forgotten, in milliseconds. */
  *atLeast(failures: number): Iterable<readonly [key: string, forgottenInMs: number]> {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, count] of this.#counts) {
      if (count.failures >= failures && count.endsMs > nowMs) yield [key, Math.ceil(count.endsMs - nowMs)];
    }
  }

  #current(key: string): Count | undefined {
    const count = this.#counts.get(key);
    if (count === undefined || count.endsMs > this.#clock.monotonicMs()) return count;
    this.#counts.delete(key);
    return undefined;
  }

  /** Windows may differ in length, so the order is only nearly that in which they end. */
  #forgetOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { endsMs }] of this.#counts) {
      if (endsMs > nowMs && this.#counts.size <= MAX_KEYS) return;
      this.#counts.delete(key);
    }
  }
}
