import type { BcastError } from '../errors.ts';

/** How a client comes back after a cut. */
export interface ReconnectPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Attempts in a row before it gives up; Infinity: never. */
  readonly maxAttempts: number;
}

export const DEFAULT_RECONNECT: ReconnectPolicy = { firstDelayMs: 500, maxDelayMs: 30_000, maxAttempts: Infinity };

/**
 * How long a connection must have lasted to count as a success, after which delays begin small again. A server that lets
 * everybody in and falls over at once is not asked twice a second by all of them.
 */
export const STABLE_MS = 10_000;

/** A first attempt waits this long in all for a server that says when to come again. */
export const MAX_FIRST_WAIT_MS = 30_000;

/** Beyond the server's own idle timeout, how long it may take to notice that a session of ours is gone. */
const GHOST_MARGIN_MS = 30_000;

/**
 * The wait before attempt number `attempt` (from 1): doubling, with a random quarter either way so that the clients of a
 * restarted server do not all come at once. Never less than what the server asked for, and up to a quarter more.
 */
export function reconnectDelayMs(
  { firstDelayMs, maxDelayMs }: ReconnectPolicy,
  attempt: number,
  random: () => number,
  retryAfterMs = 0,
): number {
  const doubled = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 30));
  const chance = random();
  return Math.round(Math.max(retryAfterMs * (1 + chance / 4), doubled * (0.75 + chance / 2)));
}

/** How long a first attempt that was refused waits before the next; null when it is not to be repeated. */
export function firstRetryMs({ retry, retryAfterMs }: BcastError, waitedMs: number): number | null {
  if (!retry || retryAfterMs === undefined || waitedMs + retryAfterMs > MAX_FIRST_WAIT_MS) return null;
  return Math.max(1, retryAfterMs);
}

/**
 * Whether another attempt may succeed after a cut. A permanent refusal never does, but one: the server may still count
 * the session that was cut, until it has missed it.
 */
export function mayComeBack({ retry, code }: BcastError, sinceCutMs: number, idleTimeoutMs: number): boolean {
  return retry || (code === 'TOO_MANY_SESSIONS' && sinceCutMs <= idleTimeoutMs + GHOST_MARGIN_MS);
}
