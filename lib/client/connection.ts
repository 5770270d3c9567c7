import type { Clock, Timer } from '../clock.ts';
import { BcastError, errorCodeOf, toBcastError } from '../errors.ts';
import { decodeEvent, encodeRequest } from '../protocol/codec.ts';
import type { Event, Events, Request } from '../protocol/messages.ts';
import { Channel } from '../wire/channel.ts';
import type { Identity } from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Transport } from '../wire/transport/transport.ts';

// biome-ignore lint/suspicious/noExplicitAny: distributes Omit over the union of requests.
type WithoutReq<R> = R extends any ? Omit<R, 'req'> : never;
/** A request before the connection has given it a number. */
export type Ask = WithoutReq<Request>;

/** The one answer to a request, and the rows that came before it. */
export interface Answer {
  readonly ok: Events['ok'];
  readonly rows: readonly Event[];
}

export interface ConnectionOptions {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly suite: number;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
  /** Resolves when the server with this fingerprint is trusted; rejects when it is not. */
  readonly trust: (fingerprint: string) => Promise<void>;
  /** What the server says of itself, that is, not in answer to a request. */
  readonly onEvent: (event: Event) => void;
  /** Once, when the connection is gone after it was open. */
  readonly onLost: (error: BcastError) => void;
}

type Settle = (answer: Answer | BcastError) => void;

interface Pending {
  readonly settle: Settle;
  rows: Event[] | undefined;
}

/**
 * One encrypted connection to a server, from the client's side: requests and their answers, matched by number. It
 * neither repeats nor repairs anything; when it is lost, it is lost.
 */
export class Connection {
  readonly #transport: Transport;
  readonly #channel: Channel;
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #timer: Timer;
  #nextReq = 1;
  #queued: Uint8Array[] = [];
  #isOpen = false;
  #isClosed = false;

  /** Resolves when the channel is open. Rejects with the reason, and the transport is closed then. */
  static async open(transport: Transport, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(transport, options);
    await connection.#opened.promise;
    return connection;
  }

  private constructor(transport: Transport, options: ConnectionOptions) {
    const { crypto, identity, suite, clock, handshakeTimeoutMs } = options;
    this.#transport = transport;
    this.#options = options;
    this.#channel = new Channel({
      role: 'initiator',
      crypto,
      identity,
      suite,
      handler: {
        onPeerIdentity: ({ fingerprint }) => void this.#decide(fingerprint),
        onOpen: () => this.#onOpen(),
        onMessage: (bytes) => this.#onEvent(decodeEvent(bytes)),
      },
      send: (bytes) => {
        transport.write(bytes);
        return transport.bufferedBytes === 0;
      },
    });
    this.#timer = clock.after(handshakeTimeoutMs, () => this.fail(new BcastError('HANDSHAKE_TIMEOUT')));
    transport.start({
      onData: (bytes) => this.#onData(bytes),
      onDrain: () => this.#flush(),
      onClose: (error) => this.fail(new BcastError('CONNECTION_LOST', { cause: error })),
    });
    this.#channel.start();
  }

  /** Asks, and calls `settle` with the answer in the very turn in which it comes, before any later event is told. */
  send(ask: Ask, settle: Settle): void {
    if (this.#isClosed) {
      settle(new BcastError('CONNECTION_LOST'));
      return;
    }
    const req = this.#nextReq;
    this.#nextReq = req === 0xffff_ffff ? 1 : req + 1;
    this.#pending.set(req, { settle, rows: undefined });
    this.#queued.push(encodeRequest({ ...ask, req } as Request));
    if (this.#queued.length === 1) queueMicrotask(() => this.#flush());
  }

  /** Asks. Rejects with the server's error, or CONNECTION_LOST. */
  ask(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.send(ask, (answer) => (answer instanceof BcastError ? reject(answer) : resolve(answer)));
    });
  }

  /** Reads nothing more until `resume`, so that the server holds back. */
  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  /** Sends what is queued and closes; `onLost` is not called. */
  close(): void {
    this.#flush();
    this.#shut(new BcastError('CLOSED'));
    this.#transport.end();
  }

  /** Closes at once, as lost for this reason. */
  fail(error: BcastError): void {
    if (this.#isClosed) return;
    const wasOpen = this.#isOpen;
    this.#shut(error);
    this.#transport.destroy();
    if (wasOpen) this.#options.onLost(error);
  }

  #shut(error: BcastError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#channel.close();
    this.#opened.reject(error);
    this.#opened.promise.catch(() => undefined);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { settle } of pending) settle(error);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      this.#channel.receive(bytes);
    } catch (error) {
      this.fail(toBcastError(error));
    }
  }

  async #decide(fingerprint: string): Promise<void> {
    try {
      // A person may take longer to answer than a handshake may take.
      this.#timer.cancel();
      await this.#options.trust(fingerprint);
      if (!this.#isClosed) this.#channel.accept();
    } catch (error) {
      this.fail(toBcastError(error));
    }
  }

  #onOpen(): void {
    this.#isOpen = true;
    this.#timer.cancel();
    this.#opened.resolve();
  }

  #onEvent(event: Event): void {
    if (event.type === 'error' && event.req === null) {
      this.fail(errorOf(event));
      return;
    }
    const req = 'req' in event ? event.req : null;
    if (req === null) this.#options.onEvent(event);
    else this.#onAnswer(req, event);
  }

  #onAnswer(req: number, event: Event): void {
    const pending = this.#pending.get(req);
    if (pending === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('an answer nobody asked for') });
    if (event.type === 'ok') {
      this.#pending.delete(req);
      pending.settle({ ok: event, rows: pending.rows ?? [] });
    } else if (event.type === 'error') {
      this.#pending.delete(req);
      pending.settle(errorOf(event));
    } else {
      pending.rows ??= [];
      pending.rows.push(event);
    }
  }

  #flush(): void {
    if (this.#queued.length === 0 || this.#isClosed || !this.#isOpen) return;
    const queued = this.#queued;
    this.#queued = [];
    this.#channel.sealMessages(queued);
  }
}

function errorOf({ code, text, retryAfterMs, untilMs }: Events['error']): BcastError {
  return new BcastError(errorCodeOf(code), {
    text: text === '' ? undefined : text,
    retryAfterMs: retryAfterMs ?? undefined,
    untilMs: untilMs ?? undefined,
  });
}
