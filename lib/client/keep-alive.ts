import { MessageChannel } from 'node:worker_threads';

/**
 * Keeps this process running until the returned function is called. A client is something to wait for, also while it is
 * between two connections, and timers of the clock do not hold a process. A message port that is listened to does.
 */
export function keepProcessAlive(): () => void {
  const { port1 } = new MessageChannel();
  port1.on('message', () => undefined);
  return () => port1.close();
}
