import { type BcastError, toBcastError } from '../../errors.ts';
import { CborWriter } from '../../protocol/cbor.ts';
import { appendMessage, appendStored } from '../../protocol/envelope.ts';
import type { Appended, Draft, Store, Turn } from './ports.ts';
import { errorEvent } from './refusal.ts';
import type { Room } from './room.ts';
import type { UserSession } from './user-session.ts';

/** A message on its way: accepted by the gate, not stored yet. */
interface Pending {
  readonly draft: Draft;
  readonly room: Room;
  readonly sender: UserSession;
  readonly req: number;
  /** The sender's, as it was when the message was accepted. */
  readonly prefix: Uint8Array;
}

/** Messages of one room and what the store answered, side by side. */
interface Settled {
  readonly pending: Pending[];
  readonly answers: Appended[];
}

/**
 * Takes messages through the store and to the members. What came in one turn of the event loop is stored together, and
 * what comes while the store works waits for the next round; so a slow store makes larger rounds, not a longer queue.
 */
export class Publisher {
  readonly #store: Store;
  readonly #turn: Turn;
  readonly #onFailure: (error: BcastError) => void;
  readonly #onSettled: (room: Room) => void;
  readonly #writer = new CborWriter(65_536);
  #pending: Pending[] = [];
  #isBusy = false;
  #whenIdle: (() => void)[] = [];

  /** `onSettled` is told of a room that has nothing under way any more. */
  constructor(store: Store, turn: Turn, onFailure: (error: BcastError) => void, onSettled: (room: Room) => void) {
    this.#store = store;
    this.#turn = turn;
    this.#onFailure = onFailure;
    this.#onSettled = onSettled;
  }

  /** Resolves when everything that was published is stored and delivered, or has failed. */
  idle(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  publish(pending: Pending): void {
    pending.sender.expectOne();
    pending.room.holds += 1;
    this.#pending.push(pending);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#turn.atEnd(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const round = this.#pending;
      this.#pending = [];
      await this.#store.append(round.map(({ draft }) => draft)).then(
        (answers) => this.#settle(round, answers),
        (error) => this.#fail(round, toBcastError(error)),
      );
      this.#turn.flush();
    }
    this.#isBusy = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #settle(round: readonly Pending[], answers: readonly Appended[]): void {
    for (const [room, settled] of byRoom(round, answers)) this.#deliver(room, settled);
    this.#letGo(round);
  }

  #letGo(round: readonly Pending[]): void {
    for (const { sender, room } of round) {
      sender.settleOne();
      room.holds -= 1;
      if (room.isIdle) this.#onSettled(room);
    }
  }

  /** Every member gets one shared piece of memory; only who sent something in this round gets pieces of its own. */
  #deliver(room: Room, settled: Settled): void {
    const senders = new Set<UserSession>();
    let count = 0;
    settled.pending.forEach((pending, i) => {
      const answer = settled.answers[i] as Appended;
      senders.add(pending.sender);
      if (answer.isDuplicate) return;
      this.#append(pending, answer);
      room.lastSeq = answer.seq;
      count += 1;
    });
    const bytes = this.#writer.take();
    for (const { session } of room.members) {
      if (count > 0 && !senders.has(session)) session.outbox.sendRoom(room.name, bytes, count);
    }
    for (const sender of senders) {
      if (!sender.isGone) sender.outbox.send(this.#encodeFor(sender, room, settled), settled.pending.length);
    }
  }

  /** For a sender: an `ok` where its own messages stand, so that it too sees every seq of the room in order. */
  #encodeFor(sender: UserSession, room: Room, { pending: all, answers }: Settled): Uint8Array {
    const isMember = room.member(sender) !== undefined;
    all.forEach((pending, i) => {
      const answer = answers[i] as Appended;
      if (pending.sender === sender) appendStored(this.#writer, pending.req, answer.seq, answer.ts);
      else if (isMember && !answer.isDuplicate) this.#append(pending, answer);
    });
    return this.#writer.take();
  }

  #append({ prefix, draft }: Pending, { seq, ts }: Appended): void {
    appendMessage(this.#writer, prefix, draft, seq, ts);
  }

  #fail(round: readonly Pending[], error: BcastError): void {
    this.#onFailure(error);
    for (const { sender, req } of round) sender.tell(errorEvent(error, req));
    this.#letGo(round);
  }
}

/** The round taken apart by room. */
function byRoom(round: readonly Pending[], answers: readonly Appended[]): Map<Room, Settled> {
  const rooms = new Map<Room, Settled>();
  round.forEach((pending, i) => {
    let settled = rooms.get(pending.room);
    if (settled === undefined) {
      settled = { pending: [], answers: [] };
      rooms.set(pending.room, settled);
    }
    settled.pending.push(pending);
    settled.answers.push(answers[i] as Appended);
  });
  return rooms;
}
