import type { Clock, Timer } from '../../clock.ts';
import type { Listening, RedisConnection } from './connection.ts';
import { RedisFailure } from './failure.ts';

/** Pauses between attempts to hear all channels again, in milliseconds: the first, doubled up to the last. */
const FIRST_PAUSE_MS = 25;
const LAST_PAUSE_MS = 1_000;

/** Channels that are asked for at the same time. */
const AT_ONCE = 200;

export interface SubscriberOptions {
  readonly connection: Pick<RedisConnection, 'placeOf' | 'listenAt' | 'refresh'>;
  readonly clock: Clock;
  readonly onMessage: (channel: string, payload: Buffer) => void;
  /** All channels are heard again after some were not: what was told on them meanwhile is lost. */
  readonly onRestored: () => void;
}

/** Hears sharded channels, wherever in a Cluster they are, and again after that changed or a connection was lost. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  /** Which server each channel is heard at; undefined while it is not. */
  readonly #channels = new Map<string, string | undefined>();
  readonly #servers = new Map<string, Promise<Listening>>();
  #isMending = false;
  #isClosed = false;
  #pause: { readonly timer: Timer; readonly resolve: () => void } | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** Whether every channel is heard, as far as is known. */
  get isWhole(): boolean {
    return !this.#isMending;
  }

  /** Resolves when the channel is heard, from then on and whatever happens. Rejects with RedisFailure. */
  async subscribe(channel: string): Promise<void> {
    this.#channels.set(channel, undefined);
    try {
      await this.#place(channel);
    } catch (error) {
      this.#channels.delete(channel);
      throw error;
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    const place = this.#channels.get(channel);
    this.#channels.delete(channel);
    if (place === undefined) return;
    const listening = await this.#servers.get(place)?.catch(() => undefined);
    if (!this.#channels.has(channel)) await listening?.unsubscribe(channel).catch(() => undefined);
  }

  /** Looks whether all servers still answer and still have what is heard at them; to be called now and then. */
  async check(): Promise<void> {
    const { placeOf } = this.#options.connection;
    for (const [place, server] of [...this.#servers]) {
      const channel = [...this.#channels].find(([, at]) => at === place)?.[0];
      const listening = await server.catch(() => undefined);
      if (channel === undefined) listening?.close();
      else await listening?.subscribe(channel).catch(() => listening.close());
    }
    if ([...this.#channels].some(([channel, place]) => place !== placeOf(channel))) void this.#mend();
  }

  close(): void {
    this.#isClosed = true;
    this.#pause?.timer.cancel();
    this.#pause?.resolve();
    this.#channels.clear();
    for (const server of this.#servers.values()) server.then((listening) => listening.close()).catch(() => undefined);
  }

  async #place(channel: string): Promise<void> {
    const place = this.#options.connection.placeOf(channel);
    if (place === undefined || this.#isClosed) throw new RedisFailure('unavailable', 'no server is known');
    const server = this.#servers.get(place) ?? this.#connect(place);
    const listening = await server;
    await listening.subscribe(channel);
    // It may have been lost again meanwhile, or not be wanted any more.
    if (this.#servers.get(place) !== server) throw new RedisFailure('unavailable', 'the connection was lost');
    if (this.#channels.has(channel)) this.#channels.set(channel, place);
    else await listening.unsubscribe(channel).catch(() => undefined);
  }

  #connect(place: string): Promise<Listening> {
    const lost = (): void => {
      if (this.#servers.get(place) === server) this.#lose(place);
    };
    const { onMessage } = this.#options;
    const server = this.#options.connection.listenAt(place, {
      onMessage,
      onLost: lost,
      onMoved: () => void this.#mend(),
    });
    this.#servers.set(place, server);
    server.catch(lost);
    return server;
  }

  #lose(place: string): void {
    this.#servers.delete(place);
    let hasLost = false;
    for (const [channel, at] of this.#channels) {
      if (at !== place) continue;
      this.#channels.set(channel, undefined);
      hasLost = true;
    }
    if (hasLost) void this.#mend();
  }

  /** Until all channels are heard where they are now. */
  async #mend(): Promise<void> {
    if (this.#isMending || this.#isClosed) return;
    this.#isMending = true;
    for (let tried = 0; !this.#isClosed && !(await this.#placeAll(tried > 0)); tried += 1) {
      await this.#wait(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tried, 10), LAST_PAUSE_MS));
    }
    this.#isMending = false;
    if (!this.#isClosed) this.#options.onRestored();
  }

  async #placeAll(isAgain: boolean): Promise<boolean> {
    const { connection } = this.#options;
    try {
      if (isAgain) await connection.refresh();
      const homeless = [...this.#channels].filter(([channel, place]) => place !== connection.placeOf(channel));
      if (!isAgain && homeless.length === 0) return false;
      for (let i = 0; i < homeless.length; i += AT_ONCE) {
        await Promise.all(homeless.slice(i, i + AT_ONCE).map(([channel]) => this.#place(channel)));
      }
      return true;
    } catch {
      return false;
    }
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pause = { timer: this.#options.clock.after(ms, resolve), resolve };
    await promise;
    this.#pause = undefined;
  }
}
