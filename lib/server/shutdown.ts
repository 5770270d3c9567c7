import type { Server } from 'node:net';
import type { Clock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Session } from './session/session.ts';

/** What a client should wait before it looks for the server again. */
const COME_BACK_MS = 1_000;

/** Stops accepting, tells everybody, and waits until all have gone or `drainTimeoutMs` is over. */
export async function shutDown(
  server: Server,
  sessions: ReadonlySet<Session>,
  clock: Clock,
  drainTimeoutMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const goodbye = new BcastError('SERVER_SHUTDOWN', { retryAfterMs: COME_BACK_MS });
  for (const session of sessions) session.end(goodbye);
  const timer = clock.after(drainTimeoutMs, () => {
    for (const session of sessions) session.destroy();
  });
  await closed;
  timer.cancel();
}
