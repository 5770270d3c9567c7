import { onTestFinished } from 'vitest';
import { type Client, type ClientEvent, type ConnectOptions, connect } from '../../lib/client/client.ts';
import { newIdentity } from './peer.ts';
import type { TestServer } from './server.ts';

/** A client on a real server, and everything it told. */
export interface Watched {
  readonly client: Client;
  readonly events: readonly ClientEvent[];
  /** How many messages of rooms it told. */
  readonly heard: number;
  bodies(): string[];
  until(qualifies: (events: readonly ClientEvent[]) => boolean): Promise<void>;
}

const QUICK = { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: Infinity };

/** Connects to a server on this machine, at its own port or through something else's. */
export async function enterClient(
  { port, fingerprint }: Pick<TestServer, 'port' | 'fingerprint'>,
  user: string,
  over: Partial<ConnectOptions> = {},
): Promise<Watched> {
  const events: ClientEvent[] = [];
  let heard = 0;
  const wakes = new Set<() => void>();
  const client = await connect({
    server: `bcast://127.0.0.1:${port}?fp=${fingerprint}`,
    user,
    identity: newIdentity(),
    reconnect: QUICK,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'message') heard += 1;
      for (const wake of wakes) wake();
    },
    ...over,
  });
  onTestFinished(() => client.close());
  const until = (qualifies: (events: readonly ClientEvent[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!qualifies(events)) return;
        wakes.delete(look);
        resolve();
      };
      wakes.add(look);
      look();
    });
  const bodies = (): string[] => events.flatMap((event) => (event.type === 'message' ? [event.body] : []));
  return {
    client,
    events,
    get heard() {
      return heard;
    },
    bodies,
    until,
  };
}
