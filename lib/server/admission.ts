import type { Clock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import { originOf } from './hub/address.ts';

export interface AdmissionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly connectAttempts: number;
  /** Milliseconds. */
  readonly connectWindow: number;
}

/** Addresses whose attempts are counted at once; the oldest windows go first. */
const MAX_ADDRESSES = 100_000;

interface Window {
  attempts: number;
  readonly endsMs: number;
}

/** Who may connect at all, decided by address before a byte is read and before any cryptography. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #refusalOf: (address: string) => BcastError | undefined;
  readonly #connections = new Map<string, number>();
  readonly #windows = new Map<string, Window>();
  #total = 0;

  /** `refusalOf` says why an address is not wanted at all. */
  constructor(limits: AdmissionLimits, clock: Clock, refusalOf: (address: string) => BcastError | undefined) {
    this.#limits = limits;
    this.#clock = clock;
    this.#refusalOf = refusalOf;
  }

  /** Counts a connection that `release` must give back, or throws SERVER_FULL, ADDRESS_FULL, TOO_MANY_ATTEMPTS, BANNED. */
  admit(address: string): void {
    const refusal = this.#refusalOf(address);
    if (refusal !== undefined) throw refusal;
    const origin = originOf(address);
    this.#countAttempt(origin);
    if (this.#total >= this.#limits.maxConnections) throw new BcastError('SERVER_FULL', { retryAfterMs: 10_000 });
    const here = this.#connections.get(origin) ?? 0;
    if (here >= this.#limits.maxConnectionsPerAddress) throw new BcastError('ADDRESS_FULL', { retryAfterMs: 10_000 });
    this.#connections.set(origin, here + 1);
    this.#total += 1;
  }

  get openConnections(): number {
    return this.#total;
  }

  /** Addresses of which something is remembered. */
  get trackedAddresses(): number {
    return Math.max(this.#windows.size, this.#connections.size);
  }

  release(address: string): void {
    const origin = originOf(address);
    const left = (this.#connections.get(origin) ?? 1) - 1;
    if (left > 0) this.#connections.set(origin, left);
    else this.#connections.delete(origin);
    this.#total -= 1;
  }

  #countAttempt(origin: string): void {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(origin);
    if (window === undefined || window.endsMs <= nowMs) {
      // Deleted first, so that the map stays in the order in which windows end.
      this.#windows.delete(origin);
      window = { attempts: 0, endsMs: nowMs + this.#limits.connectWindow };
      this.#windows.set(origin, window);
      this.#forgetOld(nowMs);
    }
    window.attempts += 1;
    if (window.attempts <= this.#limits.connectAttempts) return;
    throw new BcastError('TOO_MANY_ATTEMPTS', { retryAfterMs: Math.ceil(window.endsMs - nowMs) });
  }

  #forgetOld(nowMs: number): void {
    for (const [address, { endsMs }] of this.#windows) {
      if (endsMs > nowMs && this.#windows.size <= MAX_ADDRESSES) return;
      this.#windows.delete(address);
    }
  }
}
