import type { Clock } from '../../clock.ts';

export interface RateLimits {
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly bytesPerSecond: number;
  readonly byteBurst: number;
}

/** What rounding may take from a bucket: whoever waited as long as it was told has waited long enough. */
const ROUNDING = 1e-6;

/** Two token buckets of one user, for messages and for bytes. */
export class RateLimit {
  readonly #limits: RateLimits;
  readonly #clock: Clock;
  #messages: number;
  #bytes: number;
  #filledMs: number;
  #closedUntilMs = 0;

  constructor(limits: RateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#messages = limits.messageBurst;
    this.#bytes = limits.byteBurst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Takes so many messages, one or none, of that many bytes; 0 when they may pass, else how long to wait, in milliseconds. */
  take(bytes: number, messages: 0 | 1 = 1): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#closedUntilMs) return Math.ceil(this.#closedUntilMs - nowMs);
    this.#fill(nowMs);
    // A message larger than the whole bucket passes when the bucket is full: it can never be fuller.
    const cost = Math.min(bytes, this.#limits.byteBurst);
    if (this.#messages >= messages - ROUNDING && this.#bytes >= cost - ROUNDING) {
      this.#messages -= messages;
      this.#bytes -= cost;
      return 0;
    }
    const waitMs = Math.ceil(this.#waitFor(cost));
    this.#closedUntilMs = nowMs + waitMs;
    return waitMs;
  }

  #fill(nowMs: number): void {
    const seconds = (nowMs - this.#filledMs) / 1_000;
    this.#filledMs = nowMs;
    this.#messages = Math.min(this.#limits.messageBurst, this.#messages + seconds * this.#limits.messagesPerSecond);
    this.#bytes = Math.min(this.#limits.byteBurst, this.#bytes + seconds * this.#limits.bytesPerSecond);
  }

  /** Until there is room for a tenth of a second's worth, so that a fast sender is not refused once a message. */
  #waitFor(bytes: number): number {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = this.#limits;
    const messages = Math.min(messageBurst, Math.max(1, messagesPerSecond / 10)) - this.#messages;
    const size = Math.min(byteBurst, Math.max(bytes, bytesPerSecond / 10)) - this.#bytes;
    return Math.max(1, (messages / messagesPerSecond) * 1_000, (size / bytesPerSecond) * 1_000);
  }
}
