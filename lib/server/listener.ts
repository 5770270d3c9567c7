import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type BcastError, toBcastError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { encodeFrame } from '../wire/frame.ts';
import { encodeAdmissionRefusal } from '../wire/opening.ts';
import { tcpTransport } from '../wire/transport/tcp.ts';
import type { Transport } from '../wire/transport/transport.ts';
import type { Admission } from './admission.ts';
import { ProxiedTransport } from './proxy/proxied-transport.ts';
import type { TrustedProxies } from './proxy/trusted-proxies.ts';
import { Session, type SessionContext } from './session/session.ts';

/** Connections the kernel may hold for us while we are busy. */
const BACKLOG = 1_024;
/** Refused connections that may linger to be told why; beyond it they are dropped without a word. */
const MAX_LINGERING = 256;

export interface ListenerLimits {
  readonly maxConnections: number;
  /** A proxy must say for whom it speaks within this time, in milliseconds. */
  readonly handshakeTimeout: number;
}

export interface ListenerOptions {
  readonly config: {
    readonly host: string;
    readonly port: number;
    /** Whether others may listen on the same port. */
    readonly reusePort: boolean;
  };
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
  readonly limits: ListenerLimits;
  readonly context: SessionContext;
  readonly sessions: Set<Session>;
  readonly log: Logger;
}

export interface Listener {
  /** The port really listened on. */
  readonly port: number;
  /** Accepts no more, and closes what no proxy has spoken for yet; resolves when the last connection is gone. */
  close(): Promise<void>;
  /** Closes at once what was refused and is still being told so. */
  dropRefused(): void;
}

/** Connections that are no sessions. */
interface Pending {
  /** Being told why they are not admitted. */
  readonly refused: Set<Transport>;
  /** From a trusted proxy that has not said yet for whom it speaks. */
  readonly proxied: Set<Transport>;
}

/** Listens and makes a session of every connection that is admitted. Rejects with the system's error. */
export function listen(options: ListenerOptions): Promise<Listener> {
  const pending: Pending = { refused: new Set(), proxied: new Set() };
  const server = createServer({ pauseOnConnect: true }, (socket) => onConnection(options, pending, socket));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const { host, port, reusePort } = options.config;
    server.listen({ host, port, reusePort, backlog: BACKLOG }, () => {
      server.off('error', reject);
      server.on('error', (error) => options.log.error({ err: error }, 'accepting connections failed'));
      resolve(listenerOf(server, pending));
    });
  });
}

function listenerOf(server: Server, { refused, proxied }: Pending): Listener {
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const transport of proxied) transport.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
    dropRefused: () => {
      for (const transport of refused) transport.destroy();
    },
  };
}

function onConnection(options: ListenerOptions, pending: Pending, socket: Socket): void {
  // Reset while it waited to be accepted, as by a proxy that only looks whether the port answers: it is from nowhere.
  if (socket.remoteAddress === undefined) {
    socket.destroy();
    return;
  }
  const transport = tcpTransport(socket, options.context.clock);
  if (options.proxies.includes(transport.remoteAddress)) awaitProxy(options, pending, transport);
  else admit(options, pending, transport);
}

/** Waits until the proxy has said whose connection it is: only then is it known whom the limits are for. */
function awaitProxy(options: ListenerOptions, pending: Pending, inner: Transport): void {
  const { limits, context, log } = options;
  if (pending.proxied.size >= limits.maxConnections) {
    inner.destroy();
    return;
  }
  const proxied: Transport = new ProxiedTransport(inner, {
    clock: context.clock,
    timeoutMs: limits.handshakeTimeout,
    onKnown: (transport) => {
      pending.proxied.delete(proxied);
      admit(options, pending, transport);
    },
    onFailed: (error) => {
      pending.proxied.delete(proxied);
      if (error === undefined) return;
      log.warn({ proxy: inner.remoteAddress, code: error.code, err: error.cause }, `closed: ${error.message}`);
    },
  });
  pending.proxied.add(proxied);
}

function admit(options: ListenerOptions, { refused }: Pending, transport: Transport): void {
  const { admission, context, sessions } = options;
  const address = transport.remoteAddress;
  try {
    admission.admit(address);
  } catch (error) {
    turnAway(refused, transport, toBcastError(error));
    return;
  }
  const session = new Session(context, transport, (gone) => {
    sessions.delete(gone);
    admission.release(address);
  });
  sessions.add(session);
}

/** Says why in the clear, since there are no keys yet and making them is what is refused. */
function turnAway(refused: Set<Transport>, transport: Transport, error: BcastError): void {
  const isHeard = refused.size < MAX_LINGERING;
  transport.start({ onData: () => undefined, onDrain: () => undefined, onClose: () => refused.delete(transport) });
  if (!isHeard) {
    transport.destroy();
    return;
  }
  refused.add(transport);
  transport.write(encodeFrame(encodeAdmissionRefusal(error)));
  transport.end();
}
