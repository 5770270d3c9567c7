import type { Clock } from '../clock.ts';

/**
 * A clock that is read once in a turn of the event loop, however often it is asked: a chunk of bytes can hold hundreds of
 * messages, and asking the system three times for each took a tenth of the server's work on them. Timers begin with a
 * fresh reading.
 */
export function createTurnClock(clock: Clock, atEnd: (callback: () => void) => void): Clock {
  let nowMs: number | undefined;
  let monotonicMs: number | undefined;
  let isArmed = false;

  function forget(): void {
    nowMs = undefined;
    monotonicMs = undefined;
  }

  function arm(): void {
    if (isArmed) return;
    isArmed = true;
    atEnd(() => {
      isArmed = false;
      forget();
    });
  }

  return {
    nowMs() {
      arm();
      nowMs ??= clock.nowMs();
      return nowMs;
    },
    monotonicMs() {
      arm();
      monotonicMs ??= clock.monotonicMs();
      return monotonicMs;
    },
    after: (delayMs, callback) =>
      clock.after(delayMs, () => {
        forget();
        callback();
      }),
  };
}
