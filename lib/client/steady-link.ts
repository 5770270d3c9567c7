import type { Clock, Timer } from '../clock.ts';
import { BcastError, toBcastError } from '../errors.ts';
import type { UserName } from '../protocol/names.ts';
import type { Ask, Settle } from './connection.ts';
import type { ConnectionStatus } from './events.ts';
import { keepProcessAlive } from './keep-alive.ts';
import { type Link, type LinkHandler, type LinkOptions, openLink } from './link.ts';
import { firstRetryMs, mayComeBack, type ReconnectPolicy, reconnectDelayMs, STABLE_MS } from './reconnect.ts';

export interface SteadyLinkOptions {
  readonly link: LinkOptions;
  readonly clock: Clock;
  readonly random: () => number;
  /** Null: the first cut is the end. */
  readonly reconnect: ReconnectPolicy | null;
  /** The first attempt was refused, and is repeated. */
  readonly onFirstWait?: ((error: BcastError) => void) | undefined;
}

export interface SteadyLinkHandler extends Pick<LinkHandler, 'onEvent' | 'onLatency' | 'onDelay'> {
  /** The name to say hello with. */
  readonly name: () => UserName;
  readonly onStatus: (status: ConnectionStatus) => void;
  /** Requests may be sent; after the status was told. */
  readonly onOnline: (link: Link, isReconnect: boolean) => void;
  /** The link is gone; before the status is told. */
  readonly onOffline: () => void;
  /** For good; `error` is absent after `close`. */
  readonly onClosed: (error: BcastError | undefined) => void;
}

/** One link at a time to the same server, made again whenever it is cut, until a refusal that is final or `close`. */
export class SteadyLink {
  readonly #options: SteadyLinkOptions;
  readonly #handler: SteadyLinkHandler;
  readonly #stop = new AbortController();
  #status: ConnectionStatus = { state: 'connecting' };
  #link: Link | undefined;
  #timer: Timer | undefined;
  #letGo: (() => void) | undefined;
  #isPaused = false;
  /** Attempts in a row since the last connection that lasted. */
  #attempt = 0;
  #wasOnline = false;
  #onlineMs = 0;
  #cutMs = 0;
  #idleTimeoutMs = 0;

  constructor(options: SteadyLinkOptions, handler: SteadyLinkHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** The link there is now. */
  get link(): Link | undefined {
    return this.#link;
  }

  /**
   * Makes the first link. A server that says when to come again is waited for, if that is soon. Rejects with the reason,
   * and everything is closed then.
   */
  async start(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#stop.signal.throwIfAborted();
    this.#letGo = keepProcessAlive();
    for (;;) {
      try {
        await this.#dial();
        return;
      } catch (thrown) {
        const error = toBcastError(thrown);
        const retryInMs = firstRetryMs(error, clock.monotonicMs() - startedMs);
        if (retryInMs === null || this.#stop.signal.aborted) {
          await this.#shut(error);
          throw error;
        }
        this.#attempt += 1;
        this.#setStatus({ state: 'offline', error, retryInMs, attempt: this.#attempt });
        this.#options.onFirstWait?.(error);
        await this.#sleep(retryInMs);
      }
    }
  }

  /** Asks on the link there is. `settle` gets CONNECTION_LOST or CLOSED when there is none, or it goes. */
  ask(ask: Ask, settle: Settle): void {
    this.#on(settle, (link) => link.ask(ask, settle));
  }

  /** The same, and as long as the server's storage is out of reach. */
  insist(ask: Ask, settle: Settle): void {
    this.#on(settle, (link) => link.insist(ask, settle));
  }

  /** Asks once, whatever the answer is. */
  send(ask: Ask, settle: Settle): void {
    this.#on(settle, (link) => link.send(ask, settle));
  }

  #on(settle: Settle, act: (link: Link) => void): void {
    if (this.#link !== undefined) act(this.#link);
    else settle(this.#status.state === 'closed' ? this.#closedError() : new BcastError('CONNECTION_LOST'));
  }

  pause(): void {
    this.#isPaused = true;
    this.#link?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#link?.resume();
  }

  /** For good. Resolves when the other end knows. */
  close(): Promise<void> {
    return this.#shut(undefined);
  }

  async #dial(): Promise<void> {
    this.#stop.signal.throwIfAborted();
    this.#setStatus({ state: 'connecting' });
    const { onEvent, onLatency, onDelay, name } = this.#handler;
    const handler = {
      onEvent,
      onLatency,
      onDelay,
      onOnline: (link: Link) => this.#onOnline(link),
      onLost: (error: BcastError) => this.#onLost(error),
    };
    await openLink(this.#options.link, name(), handler, this.#stop.signal);
  }

  #onOnline(link: Link): void {
    const { name, role, registered, motd, idleTimeoutMs } = link.welcome;
    const isReconnect = this.#wasOnline;
    this.#link = link;
    this.#wasOnline = true;
    this.#onlineMs = this.#options.clock.monotonicMs();
    this.#idleTimeoutMs = idleTimeoutMs;
    if (this.#isPaused) link.pause();
    this.#setStatus({ state: 'online', name, role, registered, motd, server: link.server, isReconnect });
    // Whoever was told may have closed it.
    if (this.#link !== link) return;
    this.#handler.onOnline(link, isReconnect);
  }

  #onLost(error: BcastError): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#link = undefined;
    this.#cutMs = nowMs;
    if (nowMs - this.#onlineMs >= STABLE_MS) this.#attempt = 0;
    this.#handler.onOffline();
    this.#comeBack(error);
  }

  #comeBack(error: BcastError): void {
    if (this.#status.state === 'closed') return;
    const { clock, random, reconnect } = this.#options;
    const sinceCutMs = clock.monotonicMs() - this.#cutMs;
    this.#attempt += 1;
    if (
      reconnect === null ||
      this.#attempt > reconnect.maxAttempts ||
      !mayComeBack(error, sinceCutMs, this.#idleTimeoutMs)
    ) {
      void this.#shut(error);
      return;
    }
    const retryInMs = reconnectDelayMs(reconnect, this.#attempt, random, error.retryAfterMs);
    this.#setStatus({ state: 'offline', error, retryInMs, attempt: this.#attempt });
    // A listener may have closed the client.
    if (this.#stop.signal.aborted) return;
    this.#timer = clock.after(retryInMs, () => {
      this.#dial().catch((thrown) => this.#comeBack(toBcastError(thrown)));
    });
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = this.#options.clock.after(durationMs, resolve);
      this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #shut(error: BcastError | undefined): Promise<void> {
    if (this.#status.state === 'closed') return;
    const link = this.#link;
    this.#link = undefined;
    this.#timer?.cancel();
    this.#setStatus(error === undefined ? { state: 'closed' } : { state: 'closed', error });
    this.#stop.abort(this.#closedError());
    this.#handler.onClosed(error);
    this.#letGo?.();
    await link?.close();
  }

  #closedError(): BcastError {
    return (this.#status.state === 'closed' ? this.#status.error : undefined) ?? new BcastError('CLOSED');
  }

  #setStatus(status: ConnectionStatus): void {
    this.#status = status;
    this.#handler.onStatus(status);
  }
}
