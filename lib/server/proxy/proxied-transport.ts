import type { Clock, Timer } from '../../clock.ts';
import { BcastError, toBcastError } from '../../errors.ts';
import { type ProxyHeader, ProxyHeaderDecoder } from '../../wire/proxy-header.ts';
import type { Transport, TransportHandler } from '../../wire/transport/transport.ts';
import { addressOf, formatAddress } from '../hub/address.ts';

export interface ProxiedOptions {
  readonly clock: Clock;
  /** The proxy has so long to say for whom it speaks. */
  readonly timeoutMs: number;
  /** It has said so: from now on `remoteAddress` is right, and the transport may be started. */
  readonly onKnown: (transport: Transport) => void;
  /** It never will; the connection is closed. Without an error, the proxy just left. */
  readonly onFailed: (error?: BcastError) => void;
}

/** A connection that a trusted proxy passes on. Its first bytes are a PROXY header, and after them it is like any other. */
export class ProxiedTransport implements Transport, TransportHandler {
  readonly #inner: Transport;
  readonly #options: ProxiedOptions;
  readonly #timer: Timer;
  #header: ProxyHeaderDecoder | undefined = new ProxyHeaderDecoder();
  #address: string;
  #handler: TransportHandler | undefined;
  /** What came behind the header and was not passed on yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #isPaused = false;
  #isEnding = false;
  /** Set once the inner transport has closed. */
  #closed: { readonly error: Error | undefined } | undefined;

  /** Starts reading `inner`, which it owns. */
  constructor(inner: Transport, options: ProxiedOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#address = inner.remoteAddress;
    this.#timer = options.clock.after(options.timeoutMs, () => this.#fail(new BcastError('HANDSHAKE_TIMEOUT')));
    inner.start(this);
  }

  // Transport

  /** The proxy's own until it has spoken, and for what it says in its own name. */
  get remoteAddress(): string {
    return this.#address;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    // Never from inside the call.
    queueMicrotask(() => this.#deliver());
  }

  write(bytes: Uint8Array): boolean {
    return this.#inner.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  end(): void {
    this.#isEnding = true;
    this.#inner.end();
  }

  destroy(): void {
    this.#isEnding = true;
    this.#timer.cancel();
    this.#inner.destroy();
  }

  // TransportHandler, of the inner transport

  onData(bytes: Uint8Array): void {
    if (this.#header === undefined) {
      this.#handler?.onData(bytes);
      return;
    }
    try {
      const header = this.#header.push(bytes);
      if (header !== undefined) this.#onHeader(header);
    } catch (error) {
      this.#fail(toBcastError(error));
    }
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onClose(error?: Error): void {
    this.#timer.cancel();
    this.#closed = { error };
    if (this.#header !== undefined) this.#options.onFailed();
    else if (this.#handler !== undefined) this.#deliver();
    this.#header = undefined;
  }

  #onHeader({ source, rest }: ProxyHeader): void {
    this.#timer.cancel();
    this.#header = undefined;
    if (source !== null) this.#address = formatAddress(addressOf(source));
    this.#rest = rest;
    // Nothing may overtake the rest.
    this.#inner.pause();
    this.#options.onKnown(this);
  }

  #fail(error: BcastError): void {
    this.#header = undefined;
    this.#timer.cancel();
    this.#inner.destroy();
    this.#options.onFailed(error);
  }

  #deliver(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    if (this.#rest.length > 0 && !this.#isPaused && !this.#isEnding) {
      const rest = this.#rest;
      this.#rest = new Uint8Array(0);
      handler.onData(rest);
    }
    if (this.#closed !== undefined) {
      this.#handler = undefined;
      handler.onClose(this.#closed.error);
    } else if (!this.#isPaused) {
      this.#inner.resume();
    }
  }
}
