import { type BcastError, toBcastError } from '../../errors.ts';
import { CborWriter } from '../../protocol/cbor.ts';
import { appendEvent } from '../../protocol/codec.ts';
import { appendMessage } from '../../protocol/envelope.ts';
import type { Appended, Draft, Store, Turn } from './ports.ts';
import type { Room } from './room.ts';
import { errorEvent } from './refusal.ts';
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

/** A message and what the store answered. */
interface Settled {
  readonly pending: Pending;
  readonly answer: Appended;
}

/**
 * Takes messages through the store and to the members. What came in one turn of the event loop is stored together, and
 * what comes while the store works waits for the next round; so a slow store makes larger rounds, not a longer queue.
 */
export class Publisher {
  readonly #store: Store;
  readonly #turn: Turn;
  readonly #onFailure: (error: BcastError) => void;
  readonly #writer = new CborWriter(65_536);
  #pending: Pending[] = [];
  #isBusy = false;

  constructor(store: Store, turn: Turn, onFailure: (error: BcastError) => void) {
    this.#store = store;
    this.#turn = turn;
    this.#onFailure = onFailure;
  }

  publish(pending: Pending): void {
    pending.sender.expectOne();
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
  }

  #settle(round: readonly Pending[], answers: readonly Appended[]): void {
    const byRoom = new Map<Room, Settled[]>();
    round.forEach((pending, i) => {
      const settled = { pending, answer: answers[i] as Appended };
      const others = byRoom.get(pending.room);
      if (others === undefined) byRoom.set(pending.room, [settled]);
      else others.push(settled);
    });
    for (const [room, settled] of byRoom) this.#deliver(room, settled);
  }

  /** Every member gets one shared piece of memory; only who sent something in this round gets pieces of its own. */
  #deliver(room: Room, settled: readonly Settled[]): void {
    const fresh = settled.filter(({ answer }) => !answer.isDuplicate);
    const senders = new Set(settled.map(({ pending }) => pending.sender));
    const bytes = this.#encode(fresh);
    room.lastSeq = fresh.at(-1)?.answer.seq ?? room.lastSeq;
    for (const { session } of room.members) {
      if (!senders.has(session) && fresh.length > 0) session.outbox.sendRoom(room.name, bytes, fresh.length);
    }
    for (const sender of senders) {
      if (!sender.isGone) sender.outbox.send(this.#encodeFor(sender, room, settled), settled.length);
    }
    for (const { pending } of settled) pending.sender.settleOne();
  }

  #encode(messages: readonly Settled[]): Uint8Array {
    for (const message of messages) this.#append(message);
    return this.#writer.take();
  }

  /** For a sender: an `ok` where its own messages stand, so that it too sees every seq of the room in order. */
  #encodeFor(sender: UserSession, room: Room, settled: readonly Settled[]): Uint8Array {
    const isMember = room.member(sender) !== undefined;
    for (const message of settled) {
      const { pending, answer } = message;
      if (pending.sender === sender) {
        appendEvent(this.#writer, { type: 'ok', req: pending.req, seq: answer.seq, ts: answer.ts });
      } else if (isMember && !answer.isDuplicate) this.#append(message);
    }
    return this.#writer.take();
  }

  #append({ pending: { prefix, draft }, answer: { seq, ts } }: Settled): void {
    appendMessage(this.#writer, prefix, { kind: draft.kind, seq, ts, id: draft.id, body: draft.body });
  }

  #fail(round: readonly Pending[], error: BcastError): void {
    this.#onFailure(error);
    for (const { sender, req } of round) {
      sender.tell(errorEvent(error, req));
      sender.settleOne();
    }
  }
}
