import type { Clock } from '../../../clock.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Bounds, Found, PageQuery, SearchQuery, StoredMessage } from '../../hub/ports.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { Keys } from '../../redis/keys.ts';
import { matcherOf } from '../words.ts';
import { toBounds, toMessages, toNumber } from './replies.ts';
import { SPAN } from './scripts.ts';

/** How far one search looks, in messages, characters of bodies and milliseconds; whichever comes first. */
const MAX_SEARCHED = 5_000;
const MAX_SEARCHED_CHARS = 4_194_304;
const MAX_SEARCH_MS = 1_000;
/** How many messages are fetched at a time: Redis and this node do other things in between. Even long ones take only milliseconds. */
const SEARCH_CHUNK = 50;

export interface PagesOptions {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly keepMessages: number;
  readonly keepMs: number;
}

interface Span {
  readonly bounds: Bounds;
  /** The oldest seq that is wanted. */
  readonly low: number;
}

/** What was said, as Redis has it. Throws RedisFailure. */
export class RedisPages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  async bounds(room: NameKey): Promise<Bounds | null> {
    return (await this.#span(room))?.bounds ?? null;
  }

  async read(room: NameKey, { after, before, sinceMs, limit }: PageQuery): Promise<readonly StoredMessage[]> {
    const span = await this.#span(room, sinceMs);
    if (span === null) return [];
    const low = Math.max(span.low, (after ?? 0) + 1);
    const high = Math.min(span.bounds.last, (before ?? Number.POSITIVE_INFINITY) - 1);
    if (after === undefined) return this.#newest(room, { low, high, limit });
    if (low > high || limit === 0) return [];
    const { connection, keys } = this.#options;
    return toMessages(room, await connection.command('XRANGE', keys.room(room).log, low, high, 'COUNT', limit));
  }

  /** Backwards from the newest, until enough is found or it has looked far enough. */
  async search(room: NameKey, { words, before, limit }: SearchQuery): Promise<Found> {
    const { clock } = this.#options;
    const search = new Search(words, limit, clock.monotonicMs() + MAX_SEARCH_MS);
    const span = await this.#span(room);
    if (span === null) return search.found(1);
    const { first: low, last } = span.bounds;
    let high = Math.min(last, (before ?? Number.POSITIVE_INFINITY) - 1);
    while (!search.isOver(clock.monotonicMs())) {
      const messages = await this.#newest(room, { low, high, limit: SEARCH_CHUNK });
      search.lookAt(messages);
      if (messages.length < SEARCH_CHUNK && !search.isOver(0)) return search.found(last + 1, low);
      high = (search.from ?? low) - 1;
    }
    return search.found(last + 1);
  }

  /** Null for a room that is not there. */
  async #span(room: NameKey, sinceMs?: number): Promise<Span | null> {
    const { connection, keys, clock, keepMessages, keepMs } = this.#options;
    const args = [keepMessages, clock.nowMs() - keepMs, sinceMs ?? ''];
    const reply = await connection.run(SPAN, keys.room(room).all, args);
    if (!Array.isArray(reply)) return null;
    const what = `room ${room}`;
    return { bounds: toBounds(reply, what), low: toNumber(reply[3], what) };
  }

  /** The newest between two seqs, in seq order. */
  async #newest(room: NameKey, range: { low: number; high: number; limit: number }): Promise<StoredMessage[]> {
    const { low, high, limit } = range;
    if (low > high || limit === 0) return [];
    const { connection, keys } = this.#options;
    const reply = await connection.command('XREVRANGE', keys.room(room).log, high, low, 'COUNT', limit);
    return toMessages(room, reply).reverse();
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
