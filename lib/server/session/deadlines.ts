import type { ErrorCode } from '../../errors.ts';

/** How long a session that was told to end may take to read what was queued for it, in milliseconds. */
const END_MS = 5_000;

export interface DeadlineLimits {
  readonly handshakeTimeout: number;
  readonly idleTimeout: number;
  readonly slowReaderTimeout: number;
}

/** What of a session bears on its deadlines. */
export interface Standing {
  readonly isEnding: boolean;
  /** We do not read it, so its silence is ours. */
  readonly isPaused: boolean;
  /** Bytes written that the other end has not taken. */
  readonly waitingBytes: number;
}

/** When a session began, was last heard, and last took something; all on the clock that never jumps. */
export class Deadlines {
  readonly startedMs: number;
  heardMs: number;
  /** Bytes written so far. */
  sentBytes = 0;
  readonly #limits: DeadlineLimits;
  /** As the client was told, whatever a reload made of the option since; undefined until the hello is accepted. */
  #idleTimeoutMs: number | undefined;
  #endedMs = 0;
  /** How much of what was sent the other end had taken when it last took something, and when that was seen. */
  #takenBytes = 0;
  #takenMs: number;

  constructor(limits: DeadlineLimits, nowMs: number) {
    this.#limits = limits;
    this.startedMs = nowMs;
    this.heardMs = nowMs;
    this.#takenMs = nowMs;
  }

  /** The hello is accepted, and its answer says how long one may be silent. */
  welcomed(): void {
    this.#idleTimeoutMs = this.#limits.idleTimeout;
  }

  ended(nowMs: number): void {
    this.#endedMs = nowMs;
  }

  /** What the session has to end for; CLOSED when it has had its time to end in. Null while there is time. */
  missed(nowMs: number, { isEnding, isPaused, waitingBytes }: Standing): ErrorCode | null {
    const { handshakeTimeout, slowReaderTimeout, idleTimeout } = this.#limits;
    if (isEnding) return nowMs - this.#endedMs > END_MS ? 'CLOSED' : null;
    if (this.#idleTimeoutMs === undefined && nowMs - this.startedMs > handshakeTimeout) return 'HANDSHAKE_TIMEOUT';
    if (this.#isStuck(nowMs, waitingBytes, slowReaderTimeout)) return 'SLOW_READER';
    return !isPaused && nowMs - this.heardMs > (this.#idleTimeoutMs ?? idleTimeout) ? 'IDLE_TIMEOUT' : null;
  }

  /** Whether something has been waiting for so long without the other end taking any of it. */
  #isStuck(nowMs: number, waitingBytes: number, timeoutMs: number): boolean {
    const taken = this.sentBytes - waitingBytes;
    if (waitingBytes === 0 || taken !== this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenMs = nowMs;
    }
    return waitingBytes > 0 && nowMs - this.#takenMs > timeoutMs;
  }
}
