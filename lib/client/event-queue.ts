import type { ClientEvent } from './events.ts';

/** Events that nobody has asked for yet are kept up to so many; then the connection is read no further. */
const MAX_WAITING = 100_000;
const MAX_WAITING_BODY_UNITS = 16 * 1_048_576;

/**
 * Hands events to listeners as they happen, and to one reader at its own pace. As long as there is neither, events wait
 * for the first that comes, so that nothing is missed between `connect` and the first look.
 */
export class EventQueue {
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  /** Told when a slow reader should make the connection wait, and when it need not any more. */
  readonly #onPressure: (isFull: boolean) => void;
  #waiting: ClientEvent[] = [];
  #units = 0;
  #isFull = false;
  #hasReader = false;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(onPressure: (isFull: boolean) => void) {
    this.#onPressure = onPressure;
  }

  push(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
    if (this.#listeners.size > 0 && !this.#hasReader) return;
    this.#waiting.push(event);
    this.#units += unitsOf(event);
    this.#wake?.();
    this.#checkPressure();
  }

  /** After the last event: the reader ends when it has read what is left. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** Calls `listener` for every event from now on, and first for those nobody has had. */
  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    if (!this.#hasReader) {
      const missed = this.#waiting;
      this.#waiting = [];
      this.#units = 0;
      for (const event of missed) listener(event);
      this.#checkPressure();
    }
    return () => void this.#listeners.delete(listener);
  }

  async *read(): AsyncGenerator<ClientEvent, void, void> {
    this.#hasReader = true;
    try {
      for (;;) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const event of batch) {
          this.#units -= unitsOf(event);
          yield event;
        }
        this.#checkPressure();
        if (this.#waiting.length > 0) continue;
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.#hasReader = false;
    }
  }

  #checkPressure(): void {
    const isFull = this.#waiting.length > MAX_WAITING || this.#units > MAX_WAITING_BODY_UNITS;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#onPressure(isFull);
  }
}

function unitsOf(event: ClientEvent): number {
  return 'body' in event ? event.body.length : 0;
}
