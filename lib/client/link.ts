import type { Clock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Event, Events } from '../protocol/messages.ts';
import type { UserName } from '../protocol/names.ts';
import type { Identity } from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Transport } from '../wire/transport/transport.ts';
import { addressKey, type ServerAddress } from './address.ts';
import { type Answer, type Ask, Connection, type Settle } from './connection.ts';
import type { Credentials } from './credentials.ts';
import type { ServerIdentity } from './events.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type OnDelay, Patience } from './patience.ts';
import type { Trustee } from './trust.ts';

/** For all of it: the byte pipe, the handshake and the hello. */
const CONNECT_TIMEOUT_MS = 15_000;

export interface LinkOptions {
  readonly address: ServerAddress;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly suite: number;
  readonly trustee: Trustee;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** For people: the program and its version. */
  readonly agent: string;
  /** Makes the byte pipe, or gives up when told to. Rejects with CONNECT_FAILED. */
  readonly openTransport: (address: ServerAddress, signal: AbortSignal) => Promise<Transport>;
}

export interface LinkHandler {
  /** The hello was accepted; called in the turn of the answer, before any event of this link. */
  readonly onOnline: (link: Link) => void;
  readonly onEvent: (event: Event) => void;
  readonly onLatency: (roundTripMs: number) => void;
  readonly onDelay: OnDelay;
  /** Once, when the link is gone after it was online; not after `close`. */
  readonly onLost: (error: BcastError) => void;
}

/** A connection on which the hello was accepted, and which is known to be alive. */
export interface Link {
  readonly welcome: Events['welcome'];
  readonly server: ServerIdentity;
  /** Asks, and asks again as long as the answer is SLOW_DOWN. CONNECTION_LOST or CLOSED when the link goes first. */
  ask(ask: Ask, settle: Settle): void;
  /** The same, and also as long as the server's storage is out of reach. */
  insist(ask: Ask, settle: Settle): void;
  /** Asks once. */
  send(ask: Ask, settle: Settle): void;
  pause(): void;
  resume(): void;
  /** Gives the link up, as lost for this reason. */
  fail(error: BcastError): void;
  /** Resolves when the other end knows. */
  close(): Promise<void>;
}

/**
 * Connects, checks whom it is talking to, and says hello. Resolves after `onOnline`. Rejects with the reason, which is
 * CONNECT_FAILED for a connection that was cut before that, or the signal's.
 */
export async function openLink(
  options: LinkOptions,
  name: UserName,
  handler: LinkHandler,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    let seen: string | undefined;
    const decide = (fingerprint: string): ServerIdentity['trust'] => {
      seen = fingerprint;
      return options.trustee.decide(fingerprint);
    };
    try {
      return await withDeadline(options, signal, (ends) => attempt(options, decide, name, handler, ends));
    } catch (error) {
      // The server would not wait for a person's answer, so the connection is made anew after it.
      if (!(error instanceof BcastError) || !(await isCured(options, error, seen)) || signal.aborted) throw error;
    }
  }
}

/** Whether a person has said what the attempt failed for. */
async function isCured(
  { trustee, credentials }: LinkOptions,
  error: BcastError,
  fingerprint: string | undefined,
): Promise<boolean> {
  switch (error.code) {
    case 'SERVER_UNKNOWN':
      return fingerprint !== undefined && trustee.ask(fingerprint);
    case 'NAME_REGISTERED':
    case 'AUTH_FAILED':
      return credentials.ask(error);
    default:
      return false;
  }
}

async function withDeadline(
  { clock, address }: LinkOptions,
  signal: AbortSignal,
  act: (ends: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController();
  const timer = clock.after(CONNECT_TIMEOUT_MS, () => {
    late.abort(new BcastError('CONNECT_FAILED', { text: `${addressKey(address)} does not answer.` }));
  });
  try {
    await act(AbortSignal.any([signal, late.signal]));
  } finally {
    timer.cancel();
  }
}

async function attempt(
  options: LinkOptions,
  decide: (fingerprint: string) => ServerIdentity['trust'],
  name: UserName,
  handler: LinkHandler,
  ends: AbortSignal,
): Promise<void> {
  const transport = await openTransport(options, ends);
  const online = Promise.withResolvers<void>();
  const stage = new Stage(options, decide, name, handler, transport, online);
  const giveUp = (): void => stage.giveUp(ends.reason);
  ends.addEventListener('abort', giveUp, { once: true });
  try {
    await online.promise;
  } finally {
    ends.removeEventListener('abort', giveUp);
  }
}

/** Gives up when told, even if what was asked for a transport does not. */
async function openTransport(options: LinkOptions, ends: AbortSignal): Promise<Transport> {
  ends.throwIfAborted();
  const opening = options.openTransport(options.address, ends);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(ends.reason);
  ends.addEventListener('abort', onAbort, { once: true });
  try {
    const transport = await Promise.race([opening, aborted.promise]);
    ends.throwIfAborted();
    return transport;
  } catch (error) {
    opening.then((transport) => transport.destroy()).catch(() => undefined);
    throw ends.aborted ? ends.reason : error;
  } finally {
    ends.removeEventListener('abort', onAbort);
  }
}

/** A link on its way: from the open transport through handshake and hello to its end. */
class Stage {
  readonly #options: LinkOptions;
  readonly #handler: LinkHandler;
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #online: PromiseWithResolvers<void>;
  #trust: ServerIdentity['trust'] = 'known';
  #fingerprint = '';
  #isOnline = false;
  #isEnded = false;
  #stopHeartbeat: (() => void) | undefined;

  constructor(
    options: LinkOptions,
    decide: (fingerprint: string) => ServerIdentity['trust'],
    name: UserName,
    handler: LinkHandler,
    transport: Transport,
    online: PromiseWithResolvers<void>,
  ) {
    const { crypto, identity, suite, clock, agent, credentials } = options;
    this.#options = options;
    this.#handler = handler;
    this.#online = online;
    this.#connection = new Connection(transport, {
      crypto,
      identity,
      suite,
      clock,
      trust: (fingerprint) => {
        this.#trust = decide(fingerprint);
        this.#fingerprint = fingerprint;
      },
      onOpen: () =>
        this.#connection.send({ type: 'hello', name, agent, password: credentials.password }, (answer) =>
          this.#onHello(answer),
        ),
      onEvent: handler.onEvent,
      onLost: (error) => this.#onLost(error),
    });
    this.#patience = new Patience(this.#connection, clock, handler.onDelay);
  }

  giveUp(reason: unknown): void {
    this.#online.reject(reason);
    this.#connection.close();
  }

  #onHello(answer: Answer | BcastError): void {
    if (answer instanceof BcastError) {
      // What was lost is told by `onLost`, with the reason.
      if (answer.code === 'CONNECTION_LOST' || answer.code === 'CLOSED') return;
      this.giveUp(answer);
      return;
    }
    const welcome = answer.rows.find((row) => row.type === 'welcome');
    if (welcome === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no welcome') });
    this.#isOnline = true;
    this.#options.credentials.accept();
    this.#handler.onOnline(this.#link(welcome));
    this.#online.resolve();
    // Whoever was told may have closed it.
    if (this.#isEnded) return;
    const { clock } = this.#options;
    const { idleTimeoutMs, pingIntervalMs } = welcome;
    this.#stopHeartbeat = startHeartbeat(this.#connection, {
      clock,
      idleTimeoutMs,
      pingIntervalMs,
      onLatency: this.#handler.onLatency,
    });
  }

  #link(welcome: Events['welcome']): Link {
    const { address, suite } = this.#options;
    const connection = this.#connection;
    return {
      welcome,
      server: { address: addressKey(address), fingerprint: this.#fingerprint, suite, trust: this.#trust },
      ask: (ask, settle) => this.#patience.send(ask, settle),
      insist: (ask, settle) => this.#patience.insist(ask, settle),
      send: (ask, settle) => connection.send(ask, settle),
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      fail: (error) => connection.fail(error),
      close: () => {
        this.#end(new BcastError('CLOSED'));
        connection.close();
        return connection.closed;
      },
    };
  }

  #onLost(error: BcastError): void {
    this.#end(new BcastError('CONNECTION_LOST', { cause: error }));
    if (this.#isOnline) this.#handler.onLost(error);
    else this.#online.reject(beforeOnline(error, this.#options.address));
  }

  #end(error: BcastError): void {
    this.#isEnded = true;
    this.#stopHeartbeat?.();
    this.#patience.end(error);
  }
}

/** Whoever was never connected has lost nothing; it could not be reached. */
function beforeOnline(error: BcastError, address: ServerAddress): BcastError {
  if (error.code !== 'CONNECTION_LOST') return error;
  const text = `${addressKey(address)} closed the connection before it was set up.`;
  return new BcastError('CONNECT_FAILED', { text, cause: error });
}
