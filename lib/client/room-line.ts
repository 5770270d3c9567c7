import { BcastError, toBcastError } from '../errors.ts';
import { MAX_PAGE_MESSAGES } from '../limits.ts';
import type { Events, Requests } from '../protocol/messages.ts';
import type { RoomName } from '../protocol/names.ts';
import type { Answer } from './connection.ts';
import type { ClientEvent, RoomMessage } from './events.ts';

/** What a page of history is asked by. */
export type HistoryQuery = Pick<Requests['history'], 'after' | 'before' | 'sinceMs' | 'limit'>;

/** What to show of a room on entering it: the newest so many, or everything from a seq or a moment on. */
export type Backlog = { readonly last: number } | { readonly afterSeq: number } | { readonly sinceMs: number };

export interface RoomLineOptions {
  readonly room: RoomName;
  readonly emit: (event: ClientEvent) => void;
  /** Asks the server the room is on now; rejects when that connection is gone. */
  readonly fetch: (query: HistoryQuery) => Promise<Answer>;
}

const ALL: HistoryQuery = { after: null, before: null, sinceMs: null, limit: MAX_PAGE_MESSAGES };

/**
 * Keeps one room's messages in line: each seq once, in order. What comes live goes straight through; a hole, whatever
 * made it, is filled from history while later messages wait, and what history no longer has is said as a `gap`.
 */
export class RoomLine {
  readonly #options: RoomLineOptions;
  #incarnation: string | undefined;
  /** The newest seq that was emitted or is known to be lost. */
  #seen = 0;
  /** Up to here messages were stored before this client first joined. */
  #joinedAt = 0;
  /** What came while history is being read; undefined when the line is whole. */
  #waiting: RoomMessage[] | undefined;

  constructor(options: RoomLineOptions) {
    this.#options = options;
  }

  get seen(): number {
    return this.#seen;
  }

  /**
   * To be called with each `joined`, before any message that follows it. Resolves when what was missed, or `backlog`, has
   * been emitted; rejects when the connection goes before that, and is called again after the next join then.
   */
  async enter({ incarnation, first, last }: Events['joined'], backlog: Backlog | undefined): Promise<void> {
    const isFirst = this.#incarnation === undefined;
    const isForgotten = !isFirst && (this.#incarnation !== incarnation || last < this.#seen);
    this.#incarnation = incarnation;
    this.#waiting = [];
    if (isFirst) {
      this.#joinedAt = last;
      this.#seen = last;
      await this.#tellBacklog(first, last, backlog);
    } else {
      if (isForgotten) {
        this.#options.emit({ type: 'forgotten', room: this.#options.room });
        this.#joinedAt = 0;
        this.#seen = first - 1;
      }
      await this.#catchUp(last);
    }
    await this.#settle();
  }

  /** A live message, or one of our own that was acknowledged. */
  take(message: RoomMessage): void {
    if (this.#waiting !== undefined) this.#waiting.push(message);
    else if (message.seq === this.#seen + 1) this.#emit(message);
    else if (message.seq > this.#seen) this.#mend(message);
  }

  #emit(message: RoomMessage): void {
    this.#seen = message.seq;
    this.#options.emit(message);
  }

  #mend(message: RoomMessage): void {
    this.#waiting = [message];
    // When the connection goes meanwhile, the next join mends the line.
    this.#catchUp(message.seq - 1)
      .then(() => this.#settle())
      .catch((error) => {
        if (toBcastError(error).code !== 'CONNECTION_LOST') this.#giveUp();
      });
  }

  /** Emits what waits; a hole in it is another thing to fetch. */
  async #settle(): Promise<void> {
    for (;;) {
      const waiting = this.#waiting ?? [];
      this.#waiting = [];
      for (const [i, message] of waiting.entries()) {
        if (message.seq > this.#seen + 1) {
          this.#waiting = [...waiting.slice(i), ...this.#waiting];
          await this.#catchUp(message.seq - 1);
          break;
        }
        if (message.seq === this.#seen + 1) this.#emit(message);
      }
      if (this.#waiting.length === 0) break;
    }
    this.#waiting = undefined;
  }

  /** Fetches everything after what was seen, up to `until`; what is missing then is gone. */
  async #catchUp(until: number): Promise<void> {
    while (this.#seen < until) {
      const { rows } = await this.#options.fetch({ ...ALL, after: this.#seen });
      const before = this.#seen;
      for (const row of rows) {
        if (row.type === 'gap') this.#skipTo(row.last);
        else if (row.type === 'history') this.#takePage(row);
      }
      if (this.#seen === before) this.#skipTo(until);
    }
  }

  #takePage({ messages }: Events['history']): void {
    for (const past of messages) {
      if (past.seq <= this.#seen) continue;
      if (past.seq > this.#seen + 1) this.#skipTo(past.seq - 1);
      this.#emit(this.#messageOf(past));
    }
  }

  #skipTo(seq: number): void {
    if (seq <= this.#seen) return;
    this.#options.emit({ type: 'gap', room: this.#options.room, first: this.#seen + 1, last: seq });
    this.#seen = seq;
  }

  #messageOf(past: Events['history']['messages'][number]): RoomMessage {
    return { ...past, type: 'message', room: this.#options.room, isHistory: past.seq <= this.#joinedAt };
  }

  async #tellBacklog(first: number, last: number, backlog: Backlog | undefined): Promise<void> {
    if (backlog === undefined || last === 0) return;
    const start = await this.#startOf(first, last, backlog);
    if (start >= last) return;
    this.#seen = start;
    await this.#catchUp(last);
  }

  /** The seq before the first that `backlog` means. */
  async #startOf(first: number, last: number, backlog: Backlog): Promise<number> {
    const oldest = first - 1;
    if ('last' in backlog) return Math.max(oldest, last - backlog.last);
    if ('afterSeq' in backlog) return backlog.afterSeq;
    const { rows } = await this.#options.fetch({ ...ALL, after: oldest, sinceMs: backlog.sinceMs, limit: 1 });
    const page = rows.find((row) => row.type === 'history');
    return page?.messages[0] === undefined ? last : page.messages[0].seq - 1;
  }

  /** History could not be read although the server is there: go on with what is live, and say what is missing. */
  #giveUp(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) {
      if (message.seq > this.#seen + 1) this.#skipTo(message.seq - 1);
      if (message.seq === this.#seen + 1) this.#emit(message);
    }
  }
}

/** The messages of an answer to `history`, oldest first. */
export function pastMessages(room: RoomName, { rows }: Answer): RoomMessage[] {
  return rows.flatMap((row) =>
    row.type === 'history' ? row.messages.map((past) => ({ ...past, type: 'message' as const, room, isHistory: true })) : [],
  );
}

/** Thrown for a room this client has not joined. */
export function notJoined(room: RoomName): BcastError {
  return new BcastError('NOT_A_MEMBER', { text: `This client is not in the room ${room}.` });
}
