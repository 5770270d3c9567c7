import type { Clock, Timer } from '../../clock.ts';
import type { BcastError } from '../../errors.ts';

/** Why line mode ends. After `input` to `gone` what was read is still sent and acknowledged. */
export type Ending =
  | { readonly why: 'input' | 'count' | 'idle' | 'told' | 'gone' | 'timeout' | 'signal' }
  | { readonly why: 'failed'; readonly error: BcastError };

/** The first ending counts, whatever comes after it. */
export interface EndingSwitch {
  readonly first: Promise<Ending>;
  readonly current: Ending | undefined;
  end(ending: Ending): void;
}

export function createEndingSwitch(): EndingSwitch {
  const first = Promise.withResolvers<Ending>();
  let current: Ending | undefined;
  return {
    first: first.promise,
    get current() {
      return current;
    },
    end(ending) {
      if (current !== undefined) return;
      current = ending;
      first.resolve(ending);
    },
  };
}

/** Calls back once when `touch` was not called for `quietMs`. */
export interface Silence {
  touch(): void;
  cancel(): void;
}

/** One timer that looks back when it fires: `touch` is called for every message and must cost nothing. */
export function watchSilence(clock: Clock, quietMs: number, callback: () => void): Silence {
  let lastMs = clock.monotonicMs();
  let timer: Timer;
  const wait = (delayMs: number): void => {
    timer = clock.after(delayMs, () => {
      const restMs = lastMs + quietMs - clock.monotonicMs();
      if (restMs > 0) wait(restMs);
      else callback();
    });
  };
  wait(quietMs);
  return {
    touch: () => {
      lastMs = clock.monotonicMs();
    },
    cancel: () => timer.cancel(),
  };
}
