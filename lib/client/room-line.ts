import { BcastError } from '../errors.ts';
import { MAX_PAGE_MESSAGES } from '../limits.ts';
import type { Events, PastMessage, Requests } from '../protocol/messages.ts';
import type { RoomName } from '../protocol/names.ts';
import type { Answer } from './connection.ts';
import type { ClientEvent, RoomMessage } from './events.ts';

/** What a page of history is asked by. */
type HistoryQuery = Pick<Requests['history'], 'after' | 'before' | 'sinceMs' | 'limit'>;

/** What to show of a room on entering it: the newest so many, or everything from a seq or a moment on. */
export type Backlog = { readonly last: number } | { readonly afterSeq: number } | { readonly sinceMs: number };

export interface RoomLineOptions {
  readonly emit: (event: ClientEvent) => void;
  /** Asks for a page of the room's history; an error when the server refuses or the connection goes. */
  readonly fetch: (query: HistoryQuery, settle: (answer: Answer | BcastError) => void) => void;
  /** Everything up to the joining, or the backlog, has been emitted. */
  readonly onCaughtUp: () => void;
  /** History could not be read although the server is there. */
  readonly onFailure: (error: BcastError) => void;
}

/** Live messages that may wait while history is read, in UTF-16 units; later ones are fetched again. */
const MAX_WAITING_UNITS = 8 * 1_048_576;
const MESSAGE_UNITS = 128;

/**
 * Keeps one room's messages in line: each seq once, in order, over any number of connections. What comes live goes
 * straight through; a hole, whatever made it, is filled from history while later messages wait, and what history no
 * longer has is said as a `gap`. Does everything in the turn in which the server's answer comes.
 */
export class RoomLine {
  readonly #options: RoomLineOptions;
  #room: RoomName;
  #incarnation = '';
  /** It is known where this line begins. */
  #isPlaced = false;
  #isClosed = false;
  /** Whoever hears of the messages has enough for now. */
  #isHeld = false;
  /** The newest seq that was emitted or is known to be lost. */
  #seen = 0;
  /** Up to here messages were stored before this client first joined. */
  #joinedAt = 0;
  /** What history is to be read up to at least. */
  #until = 0;
  /** There is more in history than is known of. */
  #isBehind = false;
  /** What came while history is read, in seq order. */
  #waiting: RoomMessage[] = [];
  #waitingUnits = 0;
  /** The reading that is under way; what an earlier one still hears is of no interest. */
  #reading: object | undefined;

  constructor(room: RoomName, options: RoomLineOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** To be called with each `joined`, before any message that follows it. `backlog` counts until there was a place to start. */
  enter(joined: Events['joined'], backlog: Backlog | undefined): void {
    const { incarnation, last, room } = joined;
    this.#room = room;
    if (!this.#isPlaced) {
      this.#place(joined, backlog);
      return;
    }
    // Fewer messages than we have seen: the server lost some, and their seqs are given out again.
    if (this.#incarnation !== incarnation || last < this.#seen) this.#forget(incarnation);
    this.#until = last;
    this.#read();
  }

  /** A live message, or one of our own that was acknowledged. */
  take(message: RoomMessage): void {
    if (this.#reading === undefined && message.seq === this.#seen + 1 && !this.#isHeld) {
      this.#emit(message);
    } else if (message.seq > this.#seen) {
      this.#wait(message);
      if (this.#reading === undefined) this.#read();
    }
  }

  /** Emits no more until `go`: what comes meanwhile waits here, and beyond the bounds of that in history. */
  hold(): void {
    this.#isHeld = true;
  }

  go(): void {
    this.#isHeld = false;
    if (this.#reading === undefined && this.#isPlaced) this.#read();
  }

  /** The server left messages out, perhaps the newest. */
  lag(): void {
    this.#isBehind = true;
    if (this.#reading === undefined && this.#isPlaced) this.#read();
  }

  /** Emits nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#reading = undefined;
    this.#seen = Infinity;
  }

  #place({ incarnation, first, last }: Events['joined'], backlog: Backlog | undefined): void {
    this.#incarnation = incarnation;
    this.#joinedAt = last;
    this.#seen = last;
    this.#until = last;
    this.#dropWaiting();
    if (backlog !== undefined && 'sinceMs' in backlog && first <= last) {
      this.#placeSince(first, last, backlog.sinceMs);
      return;
    }
    if (backlog !== undefined) this.#seen = startOf(first, last, backlog);
    this.#isPlaced = true;
    this.#read();
  }

  /** The oldest message from that moment on tells where to start. */
  #placeSince(first: number, last: number, sinceMs: number): void {
    this.#ask({ after: first - 1, before: null, sinceMs, limit: 1 }, ({ rows }) => {
      const page = rows.find((row) => row.type === 'history');
      const oldest = page?.messages[0];
      this.#seen = oldest === undefined ? last : Math.min(oldest.seq - 1, last);
      this.#isPlaced = true;
      this.#read();
    });
  }

  #forget(incarnation: string): void {
    this.#incarnation = incarnation;
    this.#seen = 0;
    this.#joinedAt = 0;
    this.#dropWaiting();
    this.#options.emit({ type: 'forgotten', room: this.#room });
  }

  /** Reads history page by page until nothing is missing. */
  #read(): void {
    this.#reading = undefined;
    if (this.#isClosed || this.#isHeld) return;
    this.#drain();
    const hole = this.#waiting[0]?.seq;
    if (this.#seen >= this.#until && hole === undefined && !this.#isBehind) {
      this.#options.onCaughtUp();
      return;
    }
    const wasBehind = this.#isBehind;
    this.#isBehind = false;
    const before = this.#seen;
    this.#ask({ after: this.#seen, before: null, sinceMs: null, limit: MAX_PAGE_MESSAGES }, (answer) => {
      this.#takePage(answer);
      if (this.#seen === before) this.#passOver(hole);
      // How far behind was not known: only a page without news tells the end.
      else if (wasBehind) this.#isBehind = true;
      this.#read();
    });
  }

  #ask(query: HistoryQuery, take: (answer: Answer) => void): void {
    const reading = {};
    this.#reading = reading;
    this.#options.fetch(query, (answer) => {
      if (this.#reading !== reading) return;
      if (!(answer instanceof BcastError)) take(answer);
      else this.#onRefused(answer);
    });
  }

  #onRefused(error: BcastError): void {
    // The next `joined` goes on from here; and who is no member has left, or is about to hear why not.
    if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED' || error.code === 'NOT_A_MEMBER') return;
    if (error.retry) {
      this.#options.onFailure(error);
      return;
    }
    this.#isPlaced = true;
    this.#passOver(this.#waiting[0]?.seq);
    this.#read();
  }

  /** What was known to be missing before history was asked, and is not there, is nowhere. */
  #passOver(hole: number | undefined): void {
    this.#skipTo(this.#until);
    if (hole !== undefined) this.#skipTo(hole - 1);
  }

  #takePage({ rows }: Answer): void {
    for (const row of rows) {
      if (row.type === 'gap') this.#skipTo(row.last);
      else if (row.type === 'history') for (const past of row.messages) this.#takePast(past);
    }
  }

  #takePast(past: PastMessage): void {
    if (past.seq <= this.#seen) return;
    this.#skipTo(past.seq - 1);
    this.#emit({ ...past, type: 'message', room: this.#room, isHistory: past.seq <= this.#joinedAt });
  }

  #emit(message: RoomMessage): void {
    this.#seen = message.seq;
    this.#options.emit(message);
  }

  /** What is missing up to `seq` is lost, but for what waits here: history may have let go of it while we held it. */
  #skipTo(seq: number): void {
    for (const message of this.#takeWaiting(seq)) {
      this.#lose(message.seq - 1);
      if (message.seq === this.#seen + 1) this.#emit(message);
    }
    this.#lose(seq);
  }

  #lose(seq: number): void {
    if (seq <= this.#seen) return;
    const first = this.#seen + 1;
    this.#seen = seq;
    this.#options.emit({ type: 'gap', room: this.#room, first, last: seq });
  }

  #wait(message: RoomMessage): void {
    const newest = this.#waiting.at(-1);
    // Out of its order it is one that history is about to tell.
    if (newest !== undefined && message.seq <= newest.seq) return;
    if (this.#waitingUnits > MAX_WAITING_UNITS) {
      this.#isBehind = true;
      return;
    }
    this.#waiting.push(message);
    this.#waitingUnits += message.body.length + MESSAGE_UNITS;
  }

  #dropWaiting(): void {
    this.#waiting = [];
    this.#waitingUnits = 0;
  }

  /** Emits what waits, up to the first hole. */
  #drain(): void {
    let end = this.#seen + 1;
    for (const { seq } of this.#waiting) {
      if (seq > end) break;
      end = seq + 1;
    }
    for (const message of this.#takeWaiting(end - 1)) if (message.seq === this.#seen + 1) this.#emit(message);
  }

  /** Takes out what waits up to `seq`. */
  #takeWaiting(seq: number): readonly RoomMessage[] {
    const at = this.#waiting.findIndex((message) => message.seq > seq);
    const taken = this.#waiting.splice(0, at === -1 ? this.#waiting.length : at);
    for (const { body } of taken) this.#waitingUnits -= body.length + MESSAGE_UNITS;
    return taken;
  }
}

/** The seq before the first that `backlog` means. */
function startOf(first: number, last: number, backlog: Backlog): number {
  if ('last' in backlog) return Math.max(first - 1, last - backlog.last);
  return 'afterSeq' in backlog ? Math.min(last, Math.max(0, backlog.afterSeq)) : last;
}
