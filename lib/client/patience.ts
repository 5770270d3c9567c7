import type { Clock, Timer } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Ask, Connection, Settle } from './connection.ts';

/** Waited when the server gives no time of its own. */
const DEFAULT_WAIT_MS = 1_000;

interface Waiting {
  readonly settle: Settle;
  readonly timer: Timer;
}

/**
 * Sends requests again that the server refused for nothing but their speed, when it says they may come. Messages are not
 * sent this way: they must stay in order, which is the outbox's care.
 */
export class Patience {
  readonly #connection: Pick<Connection, 'send'>;
  readonly #clock: Clock;
  readonly #onSlowDown: (retryAfterMs: number) => void;
  readonly #waiting = new Set<Waiting>();

  constructor(connection: Pick<Connection, 'send'>, clock: Clock, onSlowDown: (retryAfterMs: number) => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onSlowDown = onSlowDown;
  }

  send(ask: Ask, settle: Settle): void {
    this.#connection.send(ask, (answer) => {
      if (answer instanceof BcastError && answer.code === 'SLOW_DOWN') this.#wait(ask, settle, answer);
      else settle(answer);
    });
  }

  /** The connection is gone: what waits is settled with `error`. */
  end(error: BcastError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { timer, settle } of waiting) {
      timer.cancel();
      settle(error);
    }
  }

  #wait(ask: Ask, settle: Settle, { retryAfterMs = DEFAULT_WAIT_MS }: BcastError): void {
    const timer = this.#clock.after(retryAfterMs, () => {
      this.#waiting.delete(waiting);
      this.send(ask, settle);
    });
    const waiting = { settle, timer };
    this.#waiting.add(waiting);
    this.#onSlowDown(retryAfterMs);
  }
}
