import type { Clock, Timer } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Ask, Connection, Settle } from './connection.ts';

/** Why a request has to wait: it came too fast, or the server's storage is out of reach. */
export type Delay = 'SLOW_DOWN' | 'UNAVAILABLE';

/** Told when something has to wait, and for how long, in milliseconds. */
export type OnDelay = (why: Delay, retryAfterMs: number) => void;

/** Waited when the server gives no time of its own. */
const DEFAULT_WAIT_MS = 1_000;

interface Waiting {
  readonly settle: Settle;
  readonly timer: Timer;
}

/**
 * Sends requests again that the server refused for nothing but their speed, when it says they may come; those that are
 * insisted on also when its storage was out of reach. Messages are not sent this way: they must stay in order, which is
 * the outbox's care.
 */
export class Patience {
  readonly #connection: Pick<Connection, 'send'>;
  readonly #clock: Clock;
  readonly #onDelay: OnDelay;
  readonly #waiting = new Set<Waiting>();

  constructor(connection: Pick<Connection, 'send'>, clock: Clock, onDelay: OnDelay) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onDelay = onDelay;
  }

  send(ask: Ask, settle: Settle): void {
    this.#sendFor(['SLOW_DOWN'], ask, settle);
  }

  insist(ask: Ask, settle: Settle): void {
    this.#sendFor(['SLOW_DOWN', 'UNAVAILABLE'], ask, settle);
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

  #sendFor(reasons: readonly Delay[], ask: Ask, settle: Settle): void {
    this.#connection.send(ask, (answer) => {
      const why = answer instanceof BcastError ? reasons.find((reason) => reason === answer.code) : undefined;
      if (why === undefined) settle(answer);
      else
        this.#wait(why, (answer as BcastError).retryAfterMs ?? DEFAULT_WAIT_MS, settle, () =>
          this.#sendFor(reasons, ask, settle),
        );
    });
  }

  #wait(why: Delay, retryAfterMs: number, settle: Settle, again: () => void): void {
    const timer = this.#clock.after(retryAfterMs, () => {
      this.#waiting.delete(waiting);
      again();
    });
    const waiting = { settle, timer };
    this.#waiting.add(waiting);
    this.#onDelay(why, retryAfterMs);
  }
}
