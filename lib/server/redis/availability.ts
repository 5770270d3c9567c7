import type { Clock, Timer } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { Outage } from '../hub/ports.ts';
import type { RedisConnection } from './connection.ts';
import { RedisFailure } from './failure.ts';

/** Pauses between attempts, in milliseconds: the first, doubled up to the last. */
const FIRST_PAUSE_MS = 25;
const LAST_PAUSE_MS = 1_000;

/** What whoever asked in vain is told to wait, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** Told when Redis is lost and when it is back; `reason` is for the log. */
export type AvailabilityListener = (isAvailable: boolean, reason: string) => void;

/**
 * Whether Redis does what it is asked, as seen from what it was asked: lost with the first request it does not answer,
 * back when nothing waits for it any more.
 */
export class Availability {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #listeners = new Set<AvailabilityListener>();
  /** Who tries again and again; the state is bad as long as there is anybody. */
  readonly #troubled = new Set<object>();
  /** One sign of life is awaited for each slot, however many rooms wait for it. */
  readonly #probes = new Map<number, Promise<void>>();
  readonly #pauses = new Map<Timer, () => void>();
  /** The slots of which somebody waits for a sign of life although nobody has anything left to do there. */
  readonly #watched = new Set<number>();
  #outage: Outage | null = null;
  #isClosed = false;

  constructor(connection: RedisConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  get isAvailable(): boolean {
    return this.#outage === null;
  }

  get outage(): Outage | null {
    return this.#outage;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Returns what ends it. */
  onChange(listener: AvailabilityListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Does it once, where `key` is. Throws UNAVAILABLE when Redis does not answer, and INTERNAL when it refuses. */
  async once<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isUnavailable(error)) void this.#watch(key, error as RedisFailure);
      throw toStoreError(error);
    }
  }

  /**
   * Does it until it is done, as long as it takes. `work` is told how often it was tried before, and must be able to bear
   * that each of these may have been done. Throws INTERNAL when Redis refuses, UNAVAILABLE after `close`.
   */
  async persist<T>(key: string, work: (tried: number) => Promise<T>): Promise<T> {
    const trouble = {};
    try {
      for (let tried = 0; ; tried += 1) {
        try {
          return await work(tried);
        } catch (error) {
          if (!isUnavailable(error)) throw toStoreError(error);
          this.#enter(trouble, error as RedisFailure);
          await this.pause(pauseMs(tried));
          await this.#answered(key);
        }
      }
    } finally {
      this.#leave(trouble);
    }
  }

  /** Throws UNAVAILABLE when it is closed meanwhile. */
  async pause(ms: number): Promise<void> {
    if (!this.#isClosed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = this.#clock.after(ms, resolve);
      this.#pauses.set(timer, resolve);
      await promise;
      this.#pauses.delete(timer);
    }
    if (this.#isClosed) throw unavailable(new Error('the store was closed'));
  }

  /** Whoever waits is let go. */
  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    for (const [timer, resolve] of this.#pauses) {
      timer.cancel();
      resolve();
    }
  }

  /** Resolves when the server that holds `key` answers. */
  #answered(key: string): Promise<void> {
    const slot = this.#connection.slotOf(key);
    const probe = this.#probes.get(slot) ?? this.#probe(key);
    this.#probes.set(slot, probe);
    return probe.finally(() => this.#probes.delete(slot));
  }

  async #probe(key: string): Promise<void> {
    for (let tried = 0; ; tried += 1) {
      try {
        await this.#connection.command('EXISTS', key);
        return;
      } catch (error) {
        if (!isUnavailable(error)) return;
        await this.pause(pauseMs(tried));
      }
    }
  }

  /** After a request that nobody repeats: until there is a sign of life. */
  async #watch(key: string, failure: RedisFailure): Promise<void> {
    const slot = this.#connection.slotOf(key);
    if (this.#watched.has(slot) || this.#isClosed) return;
    this.#watched.add(slot);
    const trouble = {};
    this.#enter(trouble, failure);
    try {
      // What fails although there are signs of life must not be tried without pause.
      await this.pause(FIRST_PAUSE_MS);
      await this.#answered(key);
      this.#leave(trouble);
    } catch {
      // Closed meanwhile: nobody is to be told.
    } finally {
      this.#watched.delete(slot);
    }
  }

  #enter(trouble: object, { message }: RedisFailure): void {
    this.#troubled.add(trouble);
    if (this.isAvailable) this.#tell(false, message);
  }

  #leave(trouble: object): void {
    if (!this.#troubled.delete(trouble) || this.#troubled.size > 0) return;
    this.#tell(true, 'answers again');
  }

  #tell(isAvailable: boolean, reason: string): void {
    this.#outage = isAvailable ? null : { sinceMs: this.#clock.nowMs(), reason };
    for (const listener of this.#listeners) listener(isAvailable, reason);
  }
}

/** What a failure of Redis means for whoever asked the store. */
export function toStoreError(error: unknown): BcastError {
  if (error instanceof BcastError) return error;
  return isUnavailable(error) ? unavailable(error) : new BcastError('INTERNAL', { cause: error });
}

function unavailable(cause: unknown): BcastError {
  return new BcastError('UNAVAILABLE', { retryAfterMs: RETRY_AFTER_MS, cause });
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RedisFailure && error.kind === 'unavailable';
}

function pauseMs(tried: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tried, 10), LAST_PAUSE_MS);
}
