/** A pending call that can be taken back. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as everything below the composition roots sees it. Durations are measured on `monotonicMs`, which never jumps;
 * `nowMs` is only for what people read and what is stored.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds since some fixed moment, never going back. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    if (typeof handle === 'object') handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
