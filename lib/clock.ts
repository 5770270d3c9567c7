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

/** What a longer timer is made of: the runtime takes one past 2^31 - 1 ms, nearly 25 days, for one of 1 ms. */
const LONGEST_MS = 0x7fff_ffff;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const wait = (leftMs: number): void => {
      const partMs = Math.min(leftMs, LONGEST_MS);
      handle = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : callback()), partMs);
      if (typeof handle === 'object') handle.unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
