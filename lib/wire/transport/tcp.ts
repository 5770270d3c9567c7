import { connect, type Socket } from 'node:net';
import { type Clock, systemClock, type Timer } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { Transport, TransportHandler } from './transport.ts';

/** The kernel asks a silent peer whether it is still there after so long; the protocol's own heartbeat is quicker. */
const KEEP_ALIVE_DELAY_MS = 60_000;

/** How long `end` gives the other end to take what is queued. */
const END_FLUSH_MS = 5_000;

/**
 * How long `end` then waits for the other end to close. Closing with unread bytes in our own buffer would reset the
 * connection, and the other end could lose the last thing we said.
 */
const END_LINGER_MS = 1_000;

export interface TcpConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Ends the attempt; of no effect once connected. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Connects. Rejects with CONNECT_FAILED, the system's error or the signal's reason as its cause. */
export function connectTcp(options: TcpConnectOptions): Promise<Transport> {
  const { host, port, signal, clock } = options;
  if (signal?.aborted) return Promise.reject(connectFailed(signal.reason));
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const settle = (): void => {
      socket.off('connect', onConnect);
      signal?.removeEventListener('abort', onAbort);
    };
    const onConnect = (): void => {
      settle();
      socket.off('error', fail);
      resolve(tcpTransport(socket, clock));
    };
    // Stays on the socket, as a destroyed one may still have an error to tell.
    const fail = (cause: unknown): void => {
      settle();
      socket.destroy();
      reject(connectFailed(cause));
    };
    const onAbort = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    socket.on('error', fail);
    socket.on('connect', onConnect);
  });
}

/** A transport over a connected socket: one that a server accepted, best with `pauseOnConnect`, or one of our own. */
export function tcpTransport(socket: Socket, clock: Clock = systemClock): Transport {
  return new TcpTransport(socket, clock);
}

class TcpTransport implements Transport {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #handler: TransportHandler | undefined;
  #error: Error | undefined;
  #endTimer: Timer | undefined;
  #isEnding = false;
  #isClosed = false;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    socket.pause();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#onClose());
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    if (this.#isClosed) {
      queueMicrotask(() => handler.onClose(this.#closeError()));
      return;
    }
    this.#socket.on('data', (bytes) => this.#onData(bytes));
    this.#socket.on('drain', () => handler.onDrain());
    this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    // Writing to a closed socket would raise an error event about us, not about the connection.
    return this.#socket.writable ? this.#socket.write(bytes) : false;
  }

  pause(): void {
    if (!this.#isEnding) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    this.#destroyAfter(END_FLUSH_MS);
    this.#socket.end(() => {
      if (!this.#isClosed) this.#destroyAfter(END_LINGER_MS);
    });
    // What still comes is read and dropped, so that the other end's close is seen.
    this.#socket.resume();
  }

  destroy(): void {
    this.#isEnding = true;
    this.#socket.destroy();
  }

  #onData(bytes: Buffer | string): void {
    if (!this.#isEnding && typeof bytes !== 'string') this.#handler?.onData(bytes);
  }

  #destroyAfter(delayMs: number): void {
    this.#endTimer?.cancel();
    this.#endTimer = this.#clock.after(delayMs, () => this.#socket.destroy());
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#endTimer?.cancel();
    this.#handler?.onClose(this.#closeError());
  }

  #closeError(): Error | undefined {
    return this.#error && new BcastError('CONNECTION_LOST', { cause: this.#error });
  }
}

function connectFailed(cause: unknown): BcastError {
  return new BcastError('CONNECT_FAILED', { cause });
}

/** An IPv4 address that came in through an IPv6 socket, as IPv4: bans and limits must see one address as one. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
