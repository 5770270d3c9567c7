import type { Clock, Timer } from '../clock.ts';
import { BcastError, toBcastError } from '../errors.ts';
import type { Event, Events } from '../protocol/messages.ts';
import type { UserName } from '../protocol/names.ts';
import type { Identity } from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Transport } from '../wire/transport/transport.ts';
import { addressKey, type ServerAddress } from './address.ts';
import { Connection } from './connection.ts';
import type { ServerIdentity } from './events.ts';
import { decideTrust, type TrustPolicy } from './trust.ts';

const HANDSHAKE_TIMEOUT_MS = 15_000;
/** However long the server lets a client be silent, the round trip is measured at least so often. */
const MAX_HEARTBEAT_MS = 20_000;

export interface LinkOptions {
  readonly address: ServerAddress;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly suite: number;
  readonly trust: TrustPolicy;
  readonly clock: Clock;
  /** For people: the program and its version. */
  readonly agent: string;
  /** Makes the byte pipe. Rejects with CONNECT_FAILED. */
  readonly openTransport: (address: ServerAddress) => Promise<Transport>;
}

export interface LinkHandler {
  readonly onEvent: (event: Event) => void;
  readonly onLatency: (roundTripMs: number) => void;
  /** Once, when the link is gone; not after `close`. */
  readonly onLost: (error: BcastError) => void;
}

/** A connection on which the hello was accepted, and which is known to be alive. */
export interface Link {
  readonly connection: Connection;
  readonly welcome: Events['welcome'];
  readonly server: ServerIdentity;
  close(): void;
}

/** Connects, checks whom it is talking to, and says hello. Rejects with the reason. */
export async function openLink(options: LinkOptions, name: UserName, handler: LinkHandler): Promise<Link> {
  const { address, clock, crypto, identity, suite, agent, trust } = options;
  const transport = await options.openTransport(address);
  let server: ServerIdentity | undefined;
  let heartbeat: Timer | undefined;
  const connection = await Connection.open(transport, {
    crypto,
    identity,
    suite,
    clock,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    trust: async (fingerprint) => {
      const reason = await decideTrust(trust, address, fingerprint);
      server = { address: addressKey(address), fingerprint, suite, trust: reason };
    },
    onEvent: handler.onEvent,
    onLost: (error) => {
      heartbeat?.cancel();
      handler.onLost(error);
    },
  });
  const welcome = await sayHello(connection, name, agent);
  const beat = (): void => {
    heartbeat = clock.after(Math.min(MAX_HEARTBEAT_MS, welcome.idleTimeoutMs / 3), () => {
      void ping(connection, clock, welcome.idleTimeoutMs, handler.onLatency).then(beat, () => undefined);
    });
  };
  void ping(connection, clock, welcome.idleTimeoutMs, handler.onLatency).then(beat, () => undefined);
  const close = (): void => {
    heartbeat?.cancel();
    connection.close();
  };
  return { connection, welcome, server: server as ServerIdentity, close };
}

async function sayHello(connection: Connection, name: UserName, agent: string): Promise<Events['welcome']> {
  try {
    const { rows } = await connection.ask({ type: 'hello', name, agent });
    const welcome = rows.find((row) => row.type === 'welcome');
    if (welcome === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no welcome') });
    return welcome;
  } catch (error) {
    connection.close();
    throw toBcastError(error);
  }
}

/** Measures the round trip; without an answer in time the connection has failed. Rejects when it is gone. */
async function ping(
  connection: Connection,
  clock: Clock,
  timeoutMs: number,
  onLatency: (roundTripMs: number) => void,
): Promise<void> {
  const sentMs = clock.monotonicMs();
  const timer = clock.after(timeoutMs, () => connection.fail(new BcastError('IDLE_TIMEOUT')));
  try {
    await connection.ask({ type: 'ping' });
    onLatency(clock.monotonicMs() - sentMs);
  } finally {
    timer.cancel();
  }
}
