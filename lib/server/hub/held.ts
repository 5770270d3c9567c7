import { BcastError } from '../../errors.ts';
import type { MessageId } from '../../protocol/messages.ts';

/** How much longer than its wait a refused message is expected to come again before those behind it may pass, in ms. */
const RESEND_GRACE_MS = 10_000;

/**
 * The first message that was refused and is expected to come again. What was sent behind it before the client knew must not
 * overtake it. Times are in milliseconds of a clock that never jumps.
 */
export class Held {
  #id: MessageId | null = null;
  #endsMs = 0;
  #retryAfterMs = 0;

  /** The message was refused; if one before it is waited for, that goes on. */
  hold(id: MessageId, retryAfterMs: number, nowMs: number): void {
    if (this.#id !== null && nowMs < this.#endsMs) return;
    this.#id = id;
    this.#endsMs = nowMs + retryAfterMs + RESEND_GRACE_MS;
    this.#retryAfterMs = retryAfterMs;
  }

  /** Throws SLOW_DOWN for any other message than the one that is waited for, which then is so no more. */
  check(id: MessageId, nowMs: number): void {
    if (this.#id === null) return;
    if (id !== this.#id && nowMs < this.#endsMs) throw slowDown(this.#retryAfterMs);
    this.#id = null;
  }
}

export function slowDown(retryAfterMs: number): BcastError {
  return new BcastError('SLOW_DOWN', { text: `Slow down, try again in ${retryAfterMs} ms.`, retryAfterMs });
}
