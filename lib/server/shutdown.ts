import type { Clock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Listener } from './listener.ts';
import type { Session } from './session/session.ts';

/** What a client should wait before it looks for the server again. */
const COME_BACK_MS = 1_000;

export interface ShutdownOptions {
  readonly listener: Listener;
  readonly sessions: ReadonlySet<Session>;
  /** Resolves when every message that was taken is answered. */
  readonly answered: () => Promise<void>;
  readonly clock: Clock;
  readonly drainTimeoutMs: number;
}

/**
 * Stops accepting, answers what was taken, tells everybody, and waits until all have read that and gone or
 * `drainTimeoutMs` is over.
 */
export async function shutDown({
  listener,
  sessions,
  answered,
  clock,
  drainTimeoutMs,
}: ShutdownOptions): Promise<void> {
  const timeIsUp = Promise.withResolvers<void>();
  const timer = clock.after(drainTimeoutMs, timeIsUp.resolve);
  const closed = listener.close();
  for (const session of sessions) session.takeNoMore();
  await Promise.race([answered(), timeIsUp.promise]);
  const goodbye = new BcastError('SERVER_SHUTDOWN', { retryAfterMs: COME_BACK_MS });
  for (const session of sessions) session.end(goodbye);
  await Promise.race([closed, timeIsUp.promise]);
  for (const session of sessions) session.destroy();
  listener.dropRefused();
  await closed;
  timer.cancel();
}
