import type { Clock, Timer } from '../clock.ts';
import { formatDuration } from '../duration.ts';
import { BcastError } from '../errors.ts';
import type { Connection } from './connection.ts';

/** No server makes a client ping more often than that. */
const MIN_INTERVAL_MS = 1_000;
/** How long the server may say nothing after a ping; the longest, and the shortest where it wants to be pinged often. */
const MAX_DEADLINE_MS = 15_000;
const MIN_DEADLINE_MS = 1_000;

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** After so much silence of ours the server closes the connection. */
  readonly idleTimeoutMs: number;
  /** How often the server would like to be pinged. */
  readonly pingIntervalMs: number;
  readonly onLatency: (roundTripMs: number) => void;
}

type Alive = Pick<Connection, 'send' | 'fail' | 'heardMs' | 'isPaused'>;

/**
 * Pings as often as the server asks, three times in the time it gives at least, so that it hears from us, and fails the connection with CONNECTION_LOST
 * when a ping is followed by nothing at all: a cut cable says no goodbye. A connection that we do not read ourselves is
 * not suspected. Returns what stops it.
 */
export function startHeartbeat(connection: Alive, options: HeartbeatOptions): () => void {
  const { clock, idleTimeoutMs, pingIntervalMs, onLatency } = options;
  const intervalMs = Math.min(Math.max(MIN_INTERVAL_MS, pingIntervalMs), idleTimeoutMs / 3);
  const deadlineMs = Math.max(MIN_DEADLINE_MS, Math.min(MAX_DEADLINE_MS, idleTimeoutMs / 3));
  let beatTimer: Timer | undefined;
  let deadlineTimer: Timer | undefined;

  function beat(): void {
    beatTimer = clock.after(intervalMs, beat);
    // While the last answer is awaited another ping would tell nothing new; unread, though, it would wait for ever.
    if (deadlineTimer !== undefined && !connection.isPaused) return;
    ping();
  }

  function ping(): void {
    const sentMs = clock.monotonicMs();
    deadlineTimer ??= clock.after(deadlineMs, () => check(sentMs));
    connection.send({ type: 'ping' }, (answer) => {
      deadlineTimer?.cancel();
      deadlineTimer = undefined;
      if (!(answer instanceof BcastError)) onLatency(clock.monotonicMs() - sentMs);
    });
  }

  /** The answer may stand behind much that is still being read: only silence counts. */
  function check(sentMs: number): void {
    const silentMs = clock.monotonicMs() - Math.max(sentMs, connection.heardMs);
    if (!connection.isPaused && silentMs >= deadlineMs) {
      const text = `The server has said nothing for ${formatDuration(silentMs)}.`;
      connection.fail(new BcastError('CONNECTION_LOST', { text }));
      return;
    }
    const restMs = connection.isPaused ? deadlineMs : deadlineMs - silentMs;
    deadlineTimer = clock.after(restMs, () => check(sentMs));
  }

  beat();
  return () => {
    beatTimer?.cancel();
    deadlineTimer?.cancel();
  };
}
