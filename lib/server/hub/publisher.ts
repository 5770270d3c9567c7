import type { Clock } from '../../clock.ts';
import { type BcastError, toBcastError } from '../../errors.ts';
import { CborWriter } from '../../protocol/cbor.ts';
import { appendMessage, appendStored, messagePrefix } from '../../protocol/envelope.ts';
import { type Lane, takeBehind } from './lane.ts';
import { Lateness } from './lateness.ts';
import type { Appended, Store, StoredMessage, Turn } from './ports.ts';
import { errorEvent } from './refusal.ts';
import type { Room } from './room.ts';
import { type Arrived, arrivedFrom, type Pending, Sequence } from './sequence.ts';
import type { UserSession } from './user-session.ts';

/** Messages in a row of one sender: their places among the others, and where the new ones stand in the encoded bytes. */
interface Run {
  /** Null for whoever is on another node. */
  readonly sender: UserSession | null;
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

export interface PublisherOptions {
  readonly store: Store;
  readonly turn: Turn;
  readonly clock: Clock;
  /** Whether other nodes store messages in the same rooms: then seqs have holes, which are theirs, until they are heard. */
  readonly isShared: boolean;
  readonly onFailure: (error: BcastError) => void;
  /** Told now and then up to where this node has stored something: those who did not hear of it are to be told. */
  readonly onReached: (room: Room, seq: number) => void;
  /** Told of a room that has nothing under way any more. */
  readonly onSettled: (room: Room) => void;
}

/** So long after something was stored other nodes are told how far the room has got, in milliseconds. */
const REACHED_MS = 2_000;

/**
 * Takes messages through the store and to the members. What came in one turn of the event loop is stored together, and
 * what comes while the store works waits for the next round; so a slow store makes larger rounds, not a longer queue.
 * Where the store is shared each room has rounds of its own: one that is held up must not hold up the others.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #writer = new CborWriter(65_536);
  readonly #one: Lane = { pending: [], isBusy: false };
  readonly #lanes = new Map<Room, Lane>();
  readonly #sequences = new Map<Room, Sequence>();
  readonly #reached = new Map<Room, number>();
  readonly #lateness: Lateness;
  #busy = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#lateness = new Lateness(options);
  }

  /** Resolves when everything that was published is stored and delivered, or has failed. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  publish(pending: Pending): void {
    pending.sender.expect(pending.draft.body.length);
    pending.room.holds += 1;
    const lane = this.#laneOf(pending.room);
    lane.pending.push(pending);
    if (lane.isBusy) {
      if (this.#options.isShared) this.#lateness.watchWaiting(lane, pending.room);
      return;
    }
    lane.isBusy = true;
    this.#busy += 1;
    this.#options.turn.atEnd(() => void this.#run(lane, pending.room));
  }

  /** What another node has stored, in the order of seqs; or what history has of a hole. */
  receive(room: Room, messages: readonly StoredMessage[]): void {
    this.#arrive(room, messages.map(arrivedFrom));
    this.#options.turn.flush();
  }

  /** Another node says that there is something up to that seq. */
  reach(room: Room, seq: number): void {
    if (seq <= room.lastSeq) return;
    const sequence = this.#sequences.get(room) ?? this.#newSequence(room);
    sequence.reach(seq);
  }

  #laneOf(room: Room): Lane {
    if (!this.#options.isShared) return this.#one;
    const lane = this.#lanes.get(room) ?? { pending: [], isBusy: false };
    this.#lanes.set(room, lane);
    return lane;
  }

  async #run(lane: Lane, room: Room): Promise<void> {
    while (lane.pending.length > 0) {
      const round = lane.pending;
      lane.pending = [];
      const watch = this.#options.isShared ? this.#lateness.watch(room, () => round) : undefined;
      await this.#options.store.append(round.map(({ draft }) => draft)).then(
        (answers) => this.#settle(round, answers),
        (error) => this.#fail(lane, round, toBcastError(error)),
      );
      watch?.cancel();
      this.#options.turn.flush();
    }
    lane.isBusy = false;
    this.#lanes.delete(room);
    this.#busy -= 1;
    if (this.#busy === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #settle(round: readonly Pending[], answers: readonly Appended[]): void {
    for (const [room, arrived] of byRoom(round, answers)) {
      this.#arrive(room, arrived);
      if (this.#options.isShared) this.#tellReached(room, arrived.at(-1)?.seq ?? 0);
    }
    this.#letGo(round);
  }

  #tellReached(room: Room, seq: number): void {
    if (this.#reached.size === 0) {
      this.#options.clock.after(REACHED_MS, () => {
        for (const [each, reached] of this.#reached) this.#options.onReached(each, reached);
        this.#reached.clear();
      });
    }
    this.#reached.set(room, Math.max(seq, this.#reached.get(room) ?? 0));
  }

  #letGo(round: readonly Pending[]): void {
    for (const { sender, room, draft } of round) {
      sender.settle(draft.body.length);
      room.holds -= 1;
      if (room.isIdle) this.#options.onSettled(room);
    }
  }

  /** Delivers what has no hole in front of it, and the rest when that is filled or given up. */
  #arrive(room: Room, arrived: readonly Arrived[]): void {
    if (!this.#options.isShared) {
      this.#deliver(room, arrived);
      return;
    }
    const sequence = this.#sequences.get(room) ?? this.#newSequence(room);
    sequence.add(arrived);
    if (sequence.isEmpty) this.#sequences.delete(room);
    // Stored, but behind something that was not heard yet: for the members that is late too.
    else this.#lateness.watch(room, () => sequence.waiting());
  }

  #newSequence(room: Room): Sequence {
    const { clock, store, turn } = this.#options;
    const sequence = new Sequence({
      clock,
      last: () => room.lastSeq,
      deliver: (ready) => this.#deliver(room, ready),
      fetch: (after, before) => store.read(room.key, { after, before, limit: 200 }),
      onFilled: () => {
        if (sequence.isEmpty) this.#sequences.delete(room);
        turn.flush();
      },
    });
    this.#sequences.set(room, sequence);
    return sequence;
  }

  /**
   * Every member gets the same piece of memory. Who sent something in this round gets views of it, with an `ok` in place
   * of its own messages: copies would cost a round of n senders n times its size.
   */
  #deliver(room: Room, arrived: readonly Arrived[]): void {
    const runs = this.#encode(room, arrived);
    const bytes = this.#writer.take();
    const count = runs.reduce((sum, { fresh }) => sum + fresh, 0);
    const senders = new Set(runs.map(({ sender }) => sender).filter((sender) => sender !== null));
    for (const { session } of room.members) {
      if (count > 0 && !senders.has(session)) session.outbox.sendRoom(room.name, bytes, count);
    }
    for (const sender of senders) {
      if (!sender.isGone) this.#deliverTo(sender, room, arrived, { runs, bytes });
    }
  }

  /** Writes the messages that are new and says which bytes are whose. */
  #encode(room: Room, arrived: readonly Arrived[]): readonly Run[] {
    const runs: Run[] = [];
    let run: Run | undefined;
    arrived.forEach((each, i) => {
      const sender = each.own?.sender ?? null;
      if (run === undefined || run.sender !== sender) {
        const start = this.#writer.length;
        run = { sender, first: i, end: i, fresh: 0, startByte: start, endByte: start };
        runs.push(run);
      }
      run.end = i + 1;
      if (!each.isFresh) return;
      this.#append(room, each);
      room.lastSeq = each.seq;
      run.fresh += 1;
      run.endByte = this.#writer.length;
    });
    return runs;
  }

  /** So that a sender too sees every seq of the room in order: what lies between its own messages goes as one view. */
  #deliverTo(sender: UserSession, room: Room, arrived: readonly Arrived[], { runs, bytes }: Delivery): void {
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
        sender.outbox.send(this.#answersFor(arrived, run), run.end - run.first);
        start = run.endByte;
      } else {
        fresh += run.fresh;
      }
    }
    sendOthers(bytes.length);
  }

  #answersFor(arrived: readonly Arrived[], { first, end }: Run): Uint8Array {
    for (let i = first; i < end; i += 1) {
      const { own, seq, ts } = arrived[i] as Arrived;
      appendStored(this.#writer, own?.req as number, seq, ts);
    }
    return this.#writer.take();
  }

  #append(room: Room, { own, message, seq, ts }: Arrived): void {
    const prefix = own?.prefix ?? messagePrefix({ room: room.name, from: message.from, fp: message.fp });
    appendMessage(this.#writer, prefix, message, seq, ts);
  }

  #fail(lane: Lane, round: readonly Pending[], error: BcastError): void {
    this.#options.onFailure(error);
    const isComingAgain = error.code === 'UNAVAILABLE';
    const failed = isComingAgain ? [...round, ...takeBehind(lane, round)] : round;
    const nowMs = this.#options.clock.monotonicMs();
    for (const { sender, req, room, draft } of failed) {
      sender.tell(errorEvent(error, req));
      if (isComingAgain) room.member(sender)?.held.hold(draft.id, error.retryAfterMs ?? 0, nowMs);
    }
    this.#letGo(failed);
  }
}

/** The round taken apart by room. */
function byRoom(round: readonly Pending[], answers: readonly Appended[]): Map<Room, Arrived[]> {
  const rooms = new Map<Room, Arrived[]>();
  round.forEach((own, i) => {
    const { seq, ts, isDuplicate } = answers[i] as Appended;
    const arrived = { own, message: own.draft, seq, ts, isFresh: !isDuplicate };
    const list = rooms.get(own.room);
    if (list === undefined) rooms.set(own.room, [arrived]);
    else list.push(arrived);
  });
  return rooms;
}
