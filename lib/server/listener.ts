import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type BcastError, toBcastError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { encodeFrame } from '../wire/frame.ts';
import { encodeAdmissionRefusal } from '../wire/opening.ts';
import { tcpTransport } from '../wire/transport/tcp.ts';
import type { Transport } from '../wire/transport/transport.ts';
import type { Admission } from './admission.ts';
import { Session, type SessionContext } from './session/session.ts';

/** Connections the kernel may hold for us while we are busy. */
const BACKLOG = 1_024;
/** Refused connections that may linger to be told why; beyond it they are dropped without a word. */
const MAX_LINGERING = 256;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly admission: Admission;
  readonly context: SessionContext;
  readonly sessions: Set<Session>;
  readonly log: Logger;
}

export interface Listener {
  /** The port really listened on. */
  readonly port: number;
  /** Accepts no more; resolves when the last connection is gone. */
  close(): Promise<void>;
  /** Closes at once what was refused and is still being told so. */
  dropRefused(): void;
}

/** Listens and makes a session of every connection that is admitted. Rejects with the system's error. */
export function listen(options: ListenerOptions): Promise<Listener> {
  const lingering = new Set<Transport>();
  const server = createServer({ pauseOnConnect: true }, (socket) => onConnection(options, lingering, socket));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      server.on('error', (error) => options.log.error({ err: error }, 'accepting connections failed'));
      resolve(listenerOf(server, lingering));
    });
  });
}

function listenerOf(server: Server, lingering: ReadonlySet<Transport>): Listener {
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
    dropRefused: () => {
      for (const transport of lingering) transport.destroy();
    },
  };
}

function onConnection(options: ListenerOptions, lingering: Set<Transport>, socket: Socket): void {
  const { admission, context, sessions } = options;
  const transport = tcpTransport(socket, context.clock);
  const address = transport.remoteAddress;
  try {
    admission.admit(address);
  } catch (error) {
    turnAway(lingering, transport, toBcastError(error));
    return;
  }
  const session = new Session(context, transport, (gone) => {
    sessions.delete(gone);
    admission.release(address);
  });
  sessions.add(session);
}

/** Says why in the clear, since there are no keys yet and making them is what is refused. */
function turnAway(lingering: Set<Transport>, transport: Transport, error: BcastError): void {
  const isHeard = lingering.size < MAX_LINGERING;
  transport.start({ onData: () => undefined, onDrain: () => undefined, onClose: () => lingering.delete(transport) });
  if (!isHeard) {
    transport.destroy();
    return;
  }
  lingering.add(transport);
  transport.write(encodeFrame(encodeAdmissionRefusal(error)));
  transport.end();
}
