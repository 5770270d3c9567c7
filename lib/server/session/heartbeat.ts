import type { Clock } from '../../clock.ts';
import type { Session, SessionLimits } from './session.ts';

/** The shortest time between two looks at all sessions. */
const MIN_INTERVAL_MS = 20;
const MAX_INTERVAL_MS = 1_000;

/**
 * Looks at every session's deadlines now and then, from one timer: a timer each would cost more memory than the session's
 * own state. Deadlines are kept to within a quarter of the shortest of them. Returns what stops it.
 */
export function startHeartbeat(sessions: ReadonlySet<Session>, clock: Clock, limits: SessionLimits): () => void {
  let timer = clock.after(intervalOf(limits), beat);
  function beat(): void {
    const nowMs = clock.monotonicMs();
    for (const session of sessions) session.checkDeadlines(nowMs);
    timer = clock.after(intervalOf(limits), beat);
  }
  return () => timer.cancel();
}

function intervalOf({ handshakeTimeout, idleTimeout, slowReaderTimeout }: SessionLimits): number {
  const shortest = Math.min(handshakeTimeout, idleTimeout, slowReaderTimeout);
  return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, shortest / 4));
}
