import type { Clock, Timer } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { MessageId, Requests } from '../protocol/messages.ts';
import type { RoomName } from '../protocol/names.ts';
import type { Answer } from './connection.ts';
import type { Receipt } from './events.ts';

type Say = Omit<Requests['say'], 'req'>;
type Tell = Omit<Requests['tell'], 'req'>;
export type Outgoing = Say | Tell;

interface Entry {
  readonly message: Outgoing;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: BcastError) => void;
  isSent: boolean;
}

export interface OutboxOptions {
  readonly clock: Clock;
  /** Sends one message on the connection there is now, and calls back with its answer. False: there is none. */
  readonly send: (message: Outgoing, settle: (answer: Answer | BcastError) => void) => boolean;
  /** Called in the turn of the acknowledgement, before anything that came after it is told. */
  readonly onSent: (message: Outgoing, receipt: Receipt) => void;
  readonly onSlowDown: (retryAfterMs: number) => void;
}

/** What the server is never asked to wait less than. */
const MIN_PAUSE_MS = 10;

/**
 * Messages until they are acknowledged, in the order in which they were said. They outlive the connection: what was not
 * acknowledged is sent again on the next one, under the same ids, and the server knows them by that.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<MessageId, Entry>();
  #pause: Timer | undefined;
  /** The server would take messages again, but not all that were sent before the pause are answered. */
  #isPauseOver = false;
  /** Bumped when the connection changes, so that answers from an old one are not mistaken for news. */
  #generation = 0;
  #isHeld = true;
  /** Sent and not answered. */
  #inFlight = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many messages are not acknowledged. */
  get size(): number {
    return this.#entries.size;
  }

  add(message: Outgoing): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#entries.has(message.id)) {
        reject(new BcastError('BAD_REQUEST', { text: 'A message with this id is on its way already.' }));
        return;
      }
      const entry: Entry = { message, resolve, reject, isSent: false };
      this.#entries.set(message.id, entry);
      if (!this.#isHeld && this.#pause === undefined) this.#send(entry);
    });
  }

  /** There is a connection and its rooms are joined: sends everything that waits. */
  release(): void {
    this.#isHeld = false;
    this.#sendWaiting();
  }

  /** The connection is gone: everything not acknowledged waits for the next. */
  hold(): void {
    this.#generation += 1;
    this.#isHeld = true;
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#isPauseOver = false;
    this.#inFlight = 0;
    for (const entry of this.#entries.values()) entry.isSent = false;
  }

  /** Gives up what was said to a room that cannot be entered any more. */
  rejectRoom(room: RoomName, error: BcastError): void {
    for (const { message } of [...this.#entries.values()]) {
      if (message.type === 'say' && message.room === room) this.#reject(message.id, error);
    }
  }

  rejectAll(error: BcastError): void {
    for (const id of [...this.#entries.keys()]) this.#reject(id, error);
  }

  #sendWaiting(): void {
    for (const entry of [...this.#entries.values()]) {
      if (this.#isHeld || this.#pause !== undefined) return;
      if (!entry.isSent) this.#send(entry);
    }
  }

  #send(entry: Entry): void {
    const generation = this.#generation;
    entry.isSent = this.#options.send(entry.message, (answer) => {
      if (generation !== this.#generation) return;
      this.#inFlight -= 1;
      this.#onAnswer(entry, answer);
      if (this.#inFlight === 0 && this.#isPauseOver) this.#endPause();
    });
    if (entry.isSent) this.#inFlight += 1;
  }

  #onAnswer(entry: Entry, answer: Answer | BcastError): void {
    if (!(answer instanceof BcastError)) this.#onStored(entry, answer);
    else if (answer.code === 'SLOW_DOWN') this.#onSlowDown(entry, answer.retryAfterMs ?? 1_000);
    else if (answer.code !== 'CONNECTION_LOST' && answer.code !== 'CLOSED') this.#reject(entry.message.id, answer);
  }

  #onStored({ message, resolve }: Entry, { ok }: Answer): void {
    this.#entries.delete(message.id);
    const room = message.type === 'say' ? message.room : null;
    const receipt = { id: message.id, room, seq: ok.seq, ts: ok.ts ?? 0 };
    this.#options.onSent(message, receipt);
    resolve(receipt);
  }

  /**
   * What was refused goes again in its order. It waits for the answers to all that is on its way, because what is
   * refused later must not come behind what is sent now.
   */
  #onSlowDown(entry: Entry, retryAfterMs: number): void {
    entry.isSent = false;
    if (this.#pause !== undefined) return;
    const pauseMs = Math.max(MIN_PAUSE_MS, retryAfterMs);
    this.#options.onSlowDown(pauseMs);
    this.#pause = this.#options.clock.after(pauseMs, () => {
      this.#isPauseOver = true;
      if (this.#inFlight === 0) this.#endPause();
    });
  }

  #endPause(): void {
    this.#pause = undefined;
    this.#isPauseOver = false;
    this.#sendWaiting();
  }

  #reject(id: MessageId, error: BcastError): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    entry?.reject(error);
  }
}
