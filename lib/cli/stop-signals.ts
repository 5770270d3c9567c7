/** How a process is asked to end. */
export interface StopSignals {
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** 130 after SIGINT, 143 after SIGTERM, as shells report them; undefined before. */
  readonly exitCode: number | undefined;
  /** As the first signal does, but without an exit code. */
  stop(): void;
  /** Stops listening, which gives the signals their own meaning back. */
  release(): void;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function listenForStop(): StopSignals {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: keyof typeof EXIT_CODES): void => {
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
