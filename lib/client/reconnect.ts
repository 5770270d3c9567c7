/** How a client comes back after a cut. */
export interface ReconnectPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Attempts in a row before it gives up; Infinity: never. */
  readonly maxAttempts: number;
}

export const DEFAULT_RECONNECT: ReconnectPolicy = { firstDelayMs: 500, maxDelayMs: 30_000, maxAttempts: Infinity };

/**
 * The wait before attempt number `attempt` (from 1): doubling, with a random quarter either way so that the clients of a
 * restarted server do not all come at once. Never less than what the server asked for.
 */
export function reconnectDelayMs(
  { firstDelayMs, maxDelayMs }: ReconnectPolicy,
  attempt: number,
  random: () => number,
  retryAfterMs = 0,
): number {
  const doubled = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(Math.max(retryAfterMs, doubled * (0.75 + random() / 2)));
}
