import { systemClock } from '../clock.ts';

/** How a process is asked to end. */
export interface StopSignals {
  /** Aborted by the first SIGINT or SIGTERM; a second one, unless it is an echo of that, ends the process at once. */
  readonly signal: AbortSignal;
  /** 130 after SIGINT, 143 after SIGTERM, as shells report them; undefined before. */
  readonly exitCode: number | undefined;
  /** As the first signal does, but without an exit code. */
  stop(): void;
  /** Stops listening, which gives the signals their own meaning back. */
  release(): void;
}

/** A group of processes and the launcher that passes signals on may tell us the same twice, so close together; in ms. */
const ECHO_MS = 150;

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function listenForStop(): StopSignals {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let [asked, askedMs]: [string | undefined, number] = [undefined, 0];
  const onSignal = (name: keyof typeof EXIT_CODES): void => {
    const isEcho = name === asked && systemClock.monotonicMs() - askedMs < ECHO_MS;
    [asked, askedMs] = [name, systemClock.monotonicMs()];
    if (isEcho) return;
    // The person does not want to wait any more, not even for output that is on its way.
    if (controller.signal.aborted) process.exit(EXIT_CODES[name]);
    exitCode = EXIT_CODES[name];
    controller.abort();
  };
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => controller.abort(),
    get exitCode() {
      return exitCode;
    },
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
