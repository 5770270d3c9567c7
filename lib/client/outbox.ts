import type { Clock, Timer } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { MessageId, Requests } from '../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName } from '../protocol/names.ts';
import type { Answer, Ask, Settle } from './connection.ts';
import type { Receipt } from './events.ts';
import type { Delay, OnDelay } from './patience.ts';

type Say = Omit<Requests['say'], 'req'>;
type Tell = Omit<Requests['tell'], 'req'>;
type Publish = Omit<Requests['publish'], 'req'>;
export type Outgoing = Say | Tell | Publish;

interface Entry {
  readonly message: Outgoing;
  /** The room's; null for what goes to no room. */
  readonly room: NameKey | null;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: BcastError) => void;
  isSent: boolean;
  /** The server may have stored it without our hearing of it. */
  mayBeStored: boolean;
}

/** What the outbox sends on. */
export interface Carrier {
  send(ask: Ask, settle: Settle): void;
}

export interface OutboxOptions {
  readonly clock: Clock;
  /** Whether messages to that room may be sent yet; until then they wait, and `resume` is to be called. */
  readonly isOpen: (room: NameKey) => boolean;
  /** Called in the turn of the acknowledgement, before anything that came after it is told. */
  readonly onSent: (message: Outgoing, receipt: Receipt) => void;
  readonly onDelay: OnDelay;
}

/** Waited at least, and when the server gives no time of its own. */
const MIN_PAUSE_MS = 10;
const DEFAULT_PAUSE_MS = 1_000;

/**
 * On their way at once, unanswered. With more a server whose store is away reads no further (PROTOCOL 7.1), heartbeats
 * included; on a line of 100 ms it still carries 10,000 messages or 2.5 MB a second.
 */
const MAX_IN_FLIGHT = 1_024;
const MAX_IN_FLIGHT_UNITS = 262_144;

/**
 * Messages until they are acknowledged, in the order in which they were said. They outlive the connection: what was not
 * acknowledged is sent again on the next one, under the same ids, and the server knows them by that.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  /** In the order in which they were said, which a Map keeps. */
  readonly #entries = new Map<MessageId, Entry>();
  /** What is to be looked at next, from `#next` on; entries that were settled meanwhile are passed over. */
  #line: Entry[] = [];
  #next = 0;
  #carrier: Carrier | undefined;
  #pause: Timer | undefined;
  /** The server would take messages again, but not all that were sent before the pause are answered. */
  #isPauseOver = false;
  #inFlight = 0;
  #inFlightUnits = 0;
  #whenEmpty: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#entries.size;
  }

  /** Resolves when nothing is left that is neither acknowledged nor refused. */
  empty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Rejects with what the server says of this message, or with what `rejectAll` and `rejectRoom` are given. */
  add(message: Outgoing): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#entries.has(message.id)) {
        reject(new BcastError('BAD_REQUEST', { text: 'A message with this id is on its way already.' }));
        return;
      }
      const room = message.type === 'say' ? nameKey(message.room) : null;
      const entry: Entry = { message, room, resolve, reject, isSent: false, mayBeStored: false };
      this.#entries.set(message.id, entry);
      this.#line.push(entry);
      this.#send();
    });
  }

  /** There is a connection: what was not acknowledged goes out on it, as soon as its room is open. */
  attach(carrier: Carrier): void {
    this.#carrier = carrier;
    this.resume();
  }

  /** The connection is gone: everything not acknowledged waits for the next. */
  detach(): void {
    this.#carrier = undefined;
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#isPauseOver = false;
    this.#inFlight = 0;
    this.#inFlightUnits = 0;
    for (const entry of this.#entries.values()) {
      entry.mayBeStored ||= entry.isSent;
      entry.isSent = false;
    }
  }

  /** A room has opened. */
  resume(): void {
    this.#line = [...this.#entries.values()].filter(({ isSent }) => !isSent);
    this.#next = 0;
    this.#send();
  }

  /** The message was seen as stored, in history or from another session, before its own answer came. */
  confirm(id: MessageId, { seq, ts }: { readonly seq: number; readonly ts: number }): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#settle(entry, seq, ts);
  }

  /** Gives up what waits for a room that is not to be entered. What is on its way still gets its own answer. */
  rejectRoom(room: RoomName, error: BcastError): void {
    const key = nameKey(room);
    for (const entry of [...this.#entries.values()])
      if (entry.room === key && !entry.isSent) this.#reject(entry, error);
  }

  rejectAll(error: BcastError): void {
    for (const entry of [...this.#entries.values()]) this.#reject(entry, error);
  }

  /** Sends what may be sent now. What waits for its room stays behind and is found again by `resume`. */
  #send(): void {
    while (this.#next < this.#line.length) {
      if (this.#carrier === undefined || this.#pause !== undefined || this.#isFull()) return;
      const entry = this.#line[this.#next] as Entry;
      this.#next += 1;
      const isWaiting = !entry.isSent && this.#entries.get(entry.message.id) === entry;
      if (isWaiting && (entry.room === null || this.#options.isOpen(entry.room))) this.#sendOne(this.#carrier, entry);
    }
    this.#line = [];
    this.#next = 0;
  }

  #isFull(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT || this.#inFlightUnits >= MAX_IN_FLIGHT_UNITS;
  }

  #sendOne(carrier: Carrier, entry: Entry): void {
    const units = entry.message.body.length;
    entry.isSent = true;
    this.#inFlight += 1;
    this.#inFlightUnits += units;
    carrier.send(asSent(entry), (answer) => {
      // Nothing is known from an old connection, nor from one that is gone: `detach` sees to what was on it.
      if (carrier !== this.#carrier || isLoss(answer)) return;
      this.#inFlight -= 1;
      this.#inFlightUnits -= units;
      if (!(answer instanceof BcastError)) this.#settle(entry, answer.ok.seq, answer.ok.ts ?? 0);
      else this.#onRefused(entry, answer);
      if (this.#inFlight === 0 && this.#isPauseOver) this.#endPause();
      this.#send();
    });
  }

  #onRefused(entry: Entry, error: BcastError): void {
    const { code, retryAfterMs = DEFAULT_PAUSE_MS } = error;
    // A storage that did not answer may have stored it.
    if (code === 'UNAVAILABLE') entry.mayBeStored = true;
    if (code === 'SLOW_DOWN' || code === 'UNAVAILABLE') this.#onDelayed(entry, code, retryAfterMs);
    else this.#reject(entry, error);
  }

  /**
   * What was refused goes again in its order. It waits for the answers to all that is on its way, because what is
   * refused later must not come behind what is sent now.
   */
  #onDelayed(entry: Entry, why: Delay, retryAfterMs: number): void {
    entry.isSent = false;
    if (this.#pause !== undefined) return;
    const pauseMs = Math.max(MIN_PAUSE_MS, retryAfterMs);
    this.#pause = this.#options.clock.after(pauseMs, () => {
      this.#isPauseOver = true;
      if (this.#inFlight === 0) this.#endPause();
    });
    this.#options.onDelay(why, pauseMs);
  }

  #endPause(): void {
    this.#pause = undefined;
    this.#isPauseOver = false;
    this.resume();
  }

  #settle(entry: Entry, seq: number | null, ts: number): void {
    const { message } = entry;
    if (!this.#remove(entry)) return;
    const receipt = { id: message.id, room: message.type === 'say' ? message.room : null, seq, ts };
    this.#options.onSent(message, receipt);
    entry.resolve(receipt);
    this.#tellIfEmpty();
  }

  #reject(entry: Entry, error: BcastError): void {
    if (!this.#remove(entry)) return;
    entry.reject(error);
    this.#tellIfEmpty();
  }

  /** False when it is settled already. */
  #remove(entry: Entry): boolean {
    if (this.#entries.get(entry.message.id) !== entry) return false;
    return this.#entries.delete(entry.message.id);
  }

  #tellIfEmpty(): void {
    if (this.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}

function asSent({ message, mayBeStored }: Entry): Outgoing {
  return message.type === 'say' && mayBeStored ? { ...message, again: true } : message;
}

function isLoss(answer: Answer | BcastError): boolean {
  return answer instanceof BcastError && (answer.code === 'CONNECTION_LOST' || answer.code === 'CLOSED');
}
