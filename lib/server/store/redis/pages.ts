import type { Clock } from '../../../clock.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Bounds, Found, PageQuery, SearchQuery, StoredMessage } from '../../hub/ports.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { Keys } from '../../redis/keys.ts';
import { matcherOf } from '../words.ts';
import { toBounds, toMessages } from './replies.ts';
import { READ } from './scripts.ts';

/** How far one search looks, in messages, characters of bodies and milliseconds; whichever comes first. */
const MAX_SEARCHED = 5_000;
const MAX_SEARCHED_CHARS = 8_388_608;
const MAX_SEARCH_MS = 1_000;
/** How many messages are fetched at a time: Redis and this node do other things in between. */
const SEARCH_CHUNK = 250;

export interface PagesOptions {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly keepMessages: number;
  readonly keepMs: number;
}

interface Page {
  readonly bounds: Bounds;
  /** In seq order. */
  readonly messages: readonly StoredMessage[];
}

/** What was said, as Redis has it. Throws RedisFailure. */
export class RedisPages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  async bounds(room: NameKey): Promise<Bounds | null> {
    return (await this.#page(room, { limit: 0 }))?.bounds ?? null;
  }

  async read(room: NameKey, query: PageQuery): Promise<readonly StoredMessage[]> {
    return (await this.#page(room, query))?.messages ?? [];
  }

  /** Backwards from the newest, until enough is found or it has looked far enough. */
  async search(room: NameKey, { words, before, limit }: SearchQuery): Promise<Found> {
    const { clock } = this.#options;
    const search = new Search(words, limit, clock.monotonicMs() + MAX_SEARCH_MS);
    let next = before;
    for (;;) {
      const page = await this.#page(room, { limit: SEARCH_CHUNK, ...(next === undefined ? {} : { before: next }) });
      if (page === null) return search.found(1);
      const { first, last } = page.bounds;
      search.lookAt(page.messages);
      if (search.isOver(clock.monotonicMs())) return search.found(last + 1);
      if (page.messages.length < SEARCH_CHUNK) return search.found(last + 1, first);
      next = search.from;
    }
  }

  /** Null for a room that is not there. */
  async #page(room: NameKey, { after = '', before = '', sinceMs = '', limit }: PageLimits): Promise<Page | null> {
    const { connection, keys, clock, keepMessages, keepMs } = this.#options;
    const args = [keepMessages, clock.nowMs() - keepMs, after, before, sinceMs, limit];
    const reply = await connection.run(READ, keys.room(room).all, args);
    if (!Array.isArray(reply)) return null;
    const messages = toMessages(room, reply.slice(3));
    return { bounds: toBounds(reply, `room ${room}`), messages: after === '' ? messages.reverse() : messages };
  }
}

/** What one search has seen so far. */
class Search {
  /** The oldest seq that was looked at. */
  from: number | undefined;
  readonly #matches: (text: string) => boolean;
  readonly #limit: number;
  readonly #untilMs: number;
  readonly #found: StoredMessage[] = [];
  #messages = 0;
  #chars = 0;

  constructor(words: readonly string[], limit: number, untilMs: number) {
    this.#matches = matcherOf(words);
    this.#limit = limit;
    this.#untilMs = untilMs;
  }

  /** The newest first; no further than until there is enough. */
  lookAt(messages: readonly StoredMessage[]): void {
    for (const message of messages.toReversed()) {
      if (this.#hasEnough) return;
      if (this.#matches(message.body)) this.#found.push(message);
      this.from = message.seq;
      this.#messages += 1;
      this.#chars += message.body.length;
    }
  }

  /** It found enough, or has looked far enough. */
  isOver(nowMs: number): boolean {
    return (
      this.#hasEnough || this.#messages >= MAX_SEARCHED || this.#chars >= MAX_SEARCHED_CHARS || nowMs >= this.#untilMs
    );
  }

  /** `seen`: how far back that was, where it is more than the messages themselves say. */
  found(none: number, seen = this.from ?? none): Found {
    return { messages: this.#found.toReversed(), from: seen };
  }

  get #hasEnough(): boolean {
    return this.#found.length >= this.#limit;
  }
}

type PageLimits = { readonly [K in keyof PageQuery]: PageQuery[K] | '' } & { readonly limit: number };
