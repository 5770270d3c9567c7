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

/** Messages in a row of one sender: their places among the others, and where the new ones stand in the encoded bytes. */
interface Run {
  readonly sender: UserSession;
  readonly first: number;
  end: number;
  fresh: number;
  readonly startByte: number;
  endByte: number;
}

/** What a round means for one room, encoded. */
interface Delivery {
  readonly runs: readonly Run[];
  readonly bytes: Uint8Array;
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
    pending.sender.expect(pending.draft.body.length);
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
    for (const { sender, room, draft } of round) {
      sender.settle(draft.body.length);
      room.holds -= 1;
      if (room.isIdle) this.#onSettled(room);
    }
  }

  /**
   * Every member gets the same piece of memory. Who sent something in this round gets views of it, with an `ok` in place
   * of its own messages: copies would cost a round of n senders n times its size.
   */
  #deliver(room: Room, settled: Settled): void {
    const runs = this.#encode(room, settled);
    const bytes = this.#writer.take();
    const count = runs.reduce((sum, { fresh }) => sum + fresh, 0);
    const senders = new Set(runs.map(({ sender }) => sender));
    for (const { session } of room.members) {
      if (count > 0 && !senders.has(session)) session.outbox.sendRoom(room.name, bytes, count);
    }
    for (const sender of senders) {
      if (!sender.isGone) this.#deliverTo(sender, room, settled, { runs, bytes });
    }
  }

  /** Writes the messages that are new and says which bytes are whose. */
  #encode(room: Room, { pending: all, answers }: Settled): readonly Run[] {
    const runs: Run[] = [];
    let run: Run | undefined;
    all.forEach((pending, i) => {
      const answer = answers[i] as Appended;
      if (run?.sender !== pending.sender) {
        const start = this.#writer.length;
        run = { sender: pending.sender, first: i, end: i, fresh: 0, startByte: start, endByte: start };
        runs.push(run);
      }
      run.end = i + 1;
      if (answer.isDuplicate) return;
      this.#append(pending, answer);
      room.lastSeq = answer.seq;
      run.fresh += 1;
      run.endByte = this.#writer.length;
    });
    return runs;
  }

  /** So that a sender too sees every seq of the room in order: what lies between its own messages goes as one view. */
  #deliverTo(sender: UserSession, room: Room, settled: Settled, { runs, bytes }: Delivery): void {
    const isMember = room.member(sender) !== undefined;
    let start = 0;
    let fresh = 0;
    const sendOthers = (end: number): void => {
      if (isMember && fresh > 0) sender.outbox.sendRoom(room.name, bytes.subarray(start, end), fresh);
      fresh = 0;
    };
    for (const run of runs) {
      if (run.sender === sender) {
        sendOthers(run.startByte);
        sender.outbox.send(this.#answersFor(settled, run), run.end - run.first);
        start = run.endByte;
      } else {
        fresh += run.fresh;
      }
    }
    sendOthers(bytes.length);
  }

  #answersFor({ pending, answers }: Settled, { first, end }: Run): Uint8Array {
    for (let i = first; i < end; i += 1) {
      const { seq, ts } = answers[i] as Appended;
      appendStored(this.#writer, pending[i]?.req as number, seq, ts);
    }
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
