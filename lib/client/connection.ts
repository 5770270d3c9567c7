import type { Clock } from '../clock.ts';
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

/** Takes what came of a request, in the very turn in which it comes and before any later event is told. */
export type Settle = (answer: Answer | BcastError) => void;

export interface ConnectionOptions {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly suite: number;
  readonly clock: Clock;
  /** Throws when the server with this fingerprint is not to be trusted; nothing of ours was revealed then. */
  readonly trust: (fingerprint: string) => void;
  /** Requests may be sent from here on. */
  readonly onOpen: () => void;
  /** What the server says of itself, that is, not in answer to a request. */
  readonly onEvent: (event: Event) => void;
  /** Once, when the connection is gone or could not be made; not after `close`. */
  readonly onLost: (error: BcastError) => void;
}

interface Pending {
  readonly settle: Settle;
  rows: Event[] | undefined;
}

/**
 * One encrypted connection to a server, from the client's side: requests and their answers, matched by number. It
 * neither repeats nor repairs anything; when it is lost, it is lost.
 */
export class Connection {
  /** Resolves when the transport is gone. */
  readonly closed: Promise<void>;
  readonly #transport: Transport;
  readonly #channel: Channel;
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #gone = Promise.withResolvers<void>();
  #nextReq = 1;
  #queued: Uint8Array[] = [];
  #heardMs: number;
  #isPaused = false;
  #isClosed = false;

  /** Starts on a fresh transport, which it owns from here on. */
  constructor(transport: Transport, options: ConnectionOptions) {
    const { crypto, identity, suite, clock, trust, onOpen } = options;
    this.#transport = transport;
    this.#options = options;
    this.closed = this.#gone.promise;
    this.#heardMs = clock.monotonicMs();
    this.#channel = new Channel({
      role: 'initiator',
      crypto,
      identity,
      suite,
      handler: {
        onPeerIdentity: ({ fingerprint }) => {
          trust(fingerprint);
          this.#channel.accept();
        },
        onOpen,
        onMessage: (bytes) => this.#onEvent(decodeEvent(bytes)),
      },
      send: (bytes) => {
        transport.write(bytes);
        return transport.bufferedBytes === 0;
      },
    });
    transport.start({
      onData: (bytes) => this.#onData(bytes),
      onDrain: () => undefined,
      onClose: (error) => {
        this.#gone.resolve();
        this.fail(new BcastError('CONNECTION_LOST', { cause: error }));
      },
    });
    this.#channel.start();
  }

  /** When something was last heard, on the clock that never jumps; while paused, nothing is. */
  get heardMs(): number {
    return this.#heardMs;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(ask: Ask, settle: Settle): void {
    if (this.#isClosed) {
      settle(new BcastError('CONNECTION_LOST'));
      return;
    }
    const req = this.#nextReq;
    this.#nextReq = req === 0xffff_ffff ? 1 : req + 1;
    this.#pending.set(req, { settle, rows: undefined });
    this.#queued.push(encodeRequest({ ...ask, req } as Request));
    // Whatever is asked in one go leaves as one record.
    if (this.#queued.length === 1) queueMicrotask(() => this.#flush());
  }

  /** Reads nothing more until `resume`, so that the server holds back. */
  pause(): void {
    this.#isPaused = true;
    this.#transport.pause();
  }

  resume(): void {
    this.#isPaused = false;
    // The silence was ours.
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#transport.resume();
  }

  /** Sends what is queued and closes; `onLost` is not called. Whatever is unanswered is settled with CLOSED. */
  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#shut();
    this.#transport.end();
    this.#settleAll(new BcastError('CLOSED'));
  }

  /** Closes at once, as lost for this reason. Whatever is unanswered is settled with CONNECTION_LOST after `onLost`. */
  fail(error: BcastError): void {
    if (this.#isClosed) return;
    this.#shut();
    this.#transport.destroy();
    // First, so that nobody who hears of a lost answer asks again here.
    this.#options.onLost(error);
    this.#settleAll(new BcastError('CONNECTION_LOST', { cause: error }));
  }

  #shut(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #settleAll(error: BcastError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { settle } of pending) settle(error);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#heardMs = this.#options.clock.monotonicMs();
    try {
      this.#channel.receive(bytes);
    } catch (error) {
      this.fail(toBcastError(error));
    }
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
    if (this.#queued.length === 0 || this.#isClosed || !this.#channel.isOpen) return;
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
