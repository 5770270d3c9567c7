import type { Clock, Timer } from '../../../clock.ts';
import { BcastError } from '../../../errors.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Appended, Bounds, Draft } from '../../hub/ports.ts';
import { type Availability, toStoreError } from '../../redis/availability.ts';
import type { Argument, RedisConnection, Script } from '../../redis/connection.ts';
import { RedisFailure } from '../../redis/failure.ts';
import type { Keys, RoomKeys, RoomRecordKind } from '../../redis/keys.ts';
import { packMessage } from '../../redis/packed-message.ts';
import { Lane } from './lane.ts';
import { toBounds, toNumber, unexpected } from './replies.ts';
import { APPEND, FORGET, OPEN, RENEW, RESTORE, RETAIN } from './scripts.ts';

/** How often some open rooms are renewed, in milliseconds; also how soon an emptied Redis is noticed at the latest. */
const PULSE_MS = 5_000;
/** How many times a lease is renewed before it would end. */
const RENEWALS = 3;
/** How many rooms are looked after in each pulse at least, and how many at the same time. */
const MIN_RENEWED = 3;
const RENEWED_AT_ONCE = 100;
/** Between two attempts to open a room while rooms are being put back, in milliseconds. */
const RECOVERY_PAUSE_MS = 250;
/** The log of a retained room goes so long after its last message was too old, in milliseconds. */
const LOG_SLACK_MS = 86_400_000;
/** Above this, what waits for Redis is refused, in characters of bodies. */
const MAX_WAITING_CHARS = 67_108_864;

/** What a node remembers of a room that Redis has forgotten. */
export interface Recalled {
  /** The newest seq the node knows of, and its time; what the store has seen itself counts too. */
  readonly last?: number;
  readonly lastTs?: number;
  /** The room's records, to be put back in the same step: nobody can come in between. */
  readonly records?: Readonly<Partial<Record<RoomRecordKind, unknown>>>;
}

export type Recall = (room: NameKey) => Recalled | undefined;

export interface RoomsOptions {
  readonly connection: RedisConnection;
  readonly availability: Availability;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly newIncarnation: () => string;
  readonly nodeId: string;
  readonly keepMessages: number;
  readonly keepMs: number;
  readonly leaseMs: number;
  readonly recoveryMs: number;
  /** How many replicas must have a message before it counts as stored. */
  readonly wait: number;
  readonly waitTimeoutMs: number;
  /** Makes sure that a list has the record. */
  readonly index: (kind: RoomRecordKind, room: NameKey) => Promise<void>;
}

/** A room that this node has open. */
interface OpenRoom {
  readonly room: NameKey;
  readonly keys: RoomKeys;
  readonly incarnation: string;
  readonly lane: Lane;
  isRetained: boolean;
  /** The newest seq and time that this node knows of. */
  last: number;
  lastTs: number;
  batches: number;
}

/** The rooms that this node has open: what is said in them goes into Redis, and they are kept from ending there. */
export class RedisRooms {
  readonly #options: RoomsOptions;
  readonly #open = new Map<NameKey, OpenRoom>();
  readonly #onReplaced = new Set<(room: NameKey) => void>();
  #recall: Recall = () => undefined;
  #waitingChars = 0;
  #timer: Timer | undefined;
  /** Where the round over the open rooms goes on. */
  #round: Iterator<OpenRoom> = [].values();
  #isChecking = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
    options.availability.onChange((isAvailable) => {
      if (isAvailable) void this.checkAll();
    });
    this.#scheduleNext();
  }

  get(room: NameKey): OpenRoom | undefined {
    return this.#open.get(room);
  }

  get size(): number {
    return this.#open.size;
  }

  recallBy(recall: Recall): void {
    this.#recall = recall;
  }

  onReplaced(listener: (room: NameKey) => void): () => void {
    this.#onReplaced.add(listener);
    return () => void this.#onReplaced.delete(listener);
  }

  async open(room: NameKey): Promise<Bounds> {
    const { availability, keys, newIncarnation, leaseMs, recoveryMs, connection } = this.#options;
    const roomKeys = keys.room(room);
    const all = connection.isCluster ? roomKeys.all : [...roomKeys.all, keys.epoch];
    const args = [newIncarnation(), leaseMs, recoveryMs, ...this.#kept()];
    for (;;) {
      const reply = await availability.once(() => connection.run(OPEN, all, args));
      if (Array.isArray(reply)) return this.#opened(room, roomKeys, reply);
      await availability.pause(RECOVERY_PAUSE_MS);
    }
  }

  /** Throws INTERNAL for a room that is not open, before anything is stored. */
  async append(drafts: readonly Draft[]): Promise<readonly Appended[]> {
    const groups = Map.groupBy(drafts, ({ room }) => this.#require(room));
    const chars = drafts.reduce((sum, { body }) => sum + body.length, 0);
    if (this.#waitingChars > 0 && this.#waitingChars + chars > MAX_WAITING_CHARS) {
      throw toStoreError(new RedisFailure('unavailable', 'too much waits for Redis'));
    }
    this.#waitingChars += chars;
    try {
      const answers = await Promise.all([...groups].map(([{ lane }, group]) => lane.append(group)));
      if (answers.length === 1) return answers[0] as readonly Appended[];
      const next = new Map([...groups.keys()].map(({ room }, i) => [room, answers[i]?.values()]));
      return drafts.map(({ room }) => next.get(room)?.next().value as Appended);
    } finally {
      this.#waitingChars -= chars;
    }
  }

  /** What others have stored, as this node has heard: so much is never given again. */
  heard(room: NameKey, last: number, lastTs: number): void {
    const open = this.#open.get(room);
    if (open !== undefined) note(open, last, lastTs);
  }

  async retain(room: NameKey, isRetained: boolean): Promise<void> {
    const { leaseMs, keepMs } = this.#options;
    const open = this.#require(room);
    open.isRetained = isRetained;
    await this.#options.availability.once(() =>
      this.#inRoom(open, RETAIN, [open.incarnation, isRetained ? 1 : 0, leaseMs, keepMs + LOG_SLACK_MS]),
    );
  }

  async forget(room: NameKey): Promise<void> {
    const { availability, keys, connection } = this.#options;
    const open = this.#open.get(room);
    await availability.once(() => connection.run(FORGET, keys.room(room).all, [open?.incarnation ?? '']));
    if (this.#open.get(room) === open) this.#open.delete(room);
  }

  letGo(room: NameKey): void {
    this.#open.delete(room);
  }

  /** Puts a room back as this node remembers it. Throws INTERNAL when it has begun anew elsewhere. */
  async putBack(open: OpenRoom): Promise<void> {
    const { last = 0, lastTs = 0, records = {} } = this.#recall(open.room) ?? {};
    note(open, last, lastTs);
    const { connection, leaseMs, index } = this.#options;
    const texts = (['room', 'read'] as const).map((kind) => {
      const value = records[kind];
      return value === undefined ? '' : JSON.stringify(value);
    });
    const args = [open.incarnation, open.last, open.lastTs, open.isRetained ? 1 : 0, leaseMs, ...texts];
    const reply = await connection.run(RESTORE, open.keys.all, args);
    if (reply === 'OTHER') throw this.#replaced(open);
    if (texts[0] !== '') await index('room', open.room);
    if (texts[1] !== '') await index('read', open.room);
  }

  /** Looks after every open room at once: after a silence, and when one was found missing. */
  async checkAll(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      await this.#renew([...this.#open.values()]);
    } catch {
      // It was lost again; when it is back we are called again.
    } finally {
      this.#isChecking = false;
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#open.clear();
  }

  #opened(room: NameKey, keys: RoomKeys, reply: readonly unknown[]): Bounds {
    const what = `room ${room}`;
    const bounds = toBounds(reply, what);
    const lastTs = toNumber(reply[3], what);
    const known = this.#open.get(room);
    if (known?.incarnation === bounds.incarnation) {
      note(known, bounds.last, lastTs);
    } else {
      const lane = new Lane((drafts) => this.#store(open, drafts));
      const { incarnation, last } = bounds;
      const open: OpenRoom = { room, keys, incarnation, lane, isRetained: reply[4] === 1, last, lastTs, batches: 0 };
      this.#open.set(room, open);
    }
    return bounds;
  }

  #require(room: NameKey): OpenRoom {
    const open = this.#open.get(room);
    if (open === undefined) throw new BcastError('INTERNAL', { cause: new Error(`room ${room} is not open`) });
    return open;
  }

  /** One batch, sent until it is stored. */
  #store(open: OpenRoom, drafts: readonly Draft[]): Promise<readonly Appended[]> {
    open.batches += 1;
    const batch = open.batches;
    const knownBefore = open.last;
    const args = this.#appendArguments(open, drafts);
    return this.#options.availability.persist(open.keys.channel, async (tried) => {
      const isSentBefore = tried > 0;
      const reply = await this.#inRoom(open, APPEND, [...args.head(batch, isSentBefore), ...args.messages]);
      return toAnswers(open, reply, { count: drafts.length, knownBefore: isSentBefore ? knownBefore : Infinity });
    });
  }

  #appendArguments({ incarnation, keys, last, lastTs }: OpenRoom, drafts: readonly Draft[]) {
    const { keepMessages, keepMs, leaseMs, nodeId } = this.#options;
    const again = drafts.map(({ isAgain }) => (isAgain ? '1' : '0')).join('');
    const common = [incarnation, keepMessages, leaseMs, keepMs + LOG_SLACK_MS, nodeId];
    return {
      head: (batch: number, isSentBefore: boolean): readonly Argument[] => [
        ...common,
        batch,
        isSentBefore ? 1 : 0,
        last,
        lastTs,
        keys.channel,
        again,
      ],
      messages: drafts.flatMap((draft) => [draft.ts, packMessage(draft)]),
    };
  }

  /** Runs a script about an open room; one that Redis has forgotten is put back first. */
  async #inRoom(open: OpenRoom, script: Script, args: readonly Argument[]): Promise<unknown> {
    const reply = await this.#confirmed(open, script, args);
    if (reply === 'OTHER') throw this.#replaced(open);
    if (reply !== 'ABSENT') return reply;
    await this.putBack(open);
    void this.checkAll();
    const second = await this.#confirmed(open, script, args);
    // It went away again at once; whoever tries again will put it back again.
    if (second === 'ABSENT') throw new RedisFailure('unavailable', `room ${open.room} does not stay`);
    if (second === 'OTHER') throw this.#replaced(open);
    return second;
  }

  async #confirmed({ keys }: OpenRoom, script: Script, args: readonly Argument[]): Promise<unknown> {
    const { connection, wait, waitTimeoutMs } = this.#options;
    if (wait === 0) return connection.run(script, keys.all, args);
    const [reply, replicas] = await connection.runAndWait(script, keys.all, args, {
      replicas: wait,
      timeoutMs: waitTimeoutMs,
    });
    if (replicas < wait) throw new RedisFailure('unavailable', `${replicas} of ${wait} replicas have what was written`);
    return reply;
  }

  #replaced(open: OpenRoom): BcastError {
    if (this.#open.get(open.room) === open) {
      this.#open.delete(open.room);
      for (const listener of this.#onReplaced) listener(open.room);
    }
    return new BcastError('INTERNAL', { cause: new Error(`room ${open.room} was begun anew elsewhere`) });
  }

  /** How many messages are kept, and from when. */
  #kept(): readonly number[] {
    const { keepMessages, keepMs, clock } = this.#options;
    return [keepMessages, clock.nowMs() - keepMs];
  }

  #scheduleNext(): void {
    this.#timer = this.#options.clock.after(PULSE_MS, () => {
      void this.#pulse().finally(() => {
        if (this.#timer !== undefined) this.#scheduleNext();
      });
    });
  }

  /** Renews as many rooms as it takes to have been at all of them in a third of a lease. */
  async #pulse(): Promise<void> {
    const { leaseMs, availability, connection } = this.#options;
    if (!availability.isAvailable) return;
    const count = Math.max(MIN_RENEWED, Math.ceil((this.#open.size * PULSE_MS * RENEWALS) / leaseMs));
    try {
      await availability.once(() => connection.ping());
      await this.#renew(this.#next(count));
    } catch {
      // Said by `availability`.
    }
  }

  #next(count: number): OpenRoom[] {
    const next: OpenRoom[] = [];
    let isAnew = false;
    while (next.length < count) {
      const { value, done } = this.#round.next();
      if (!done) next.push(value);
      else if (isAnew) break;
      else {
        isAnew = true;
        this.#round = this.#open.values();
      }
    }
    return next;
  }

  async #renew(rooms: readonly OpenRoom[]): Promise<void> {
    for (let i = 0; i < rooms.length; i += RENEWED_AT_ONCE) {
      await Promise.all(rooms.slice(i, i + RENEWED_AT_ONCE).map((open) => this.#renewOne(open)));
    }
  }

  async #renewOne(open: OpenRoom): Promise<void> {
    if (this.#open.get(open.room) !== open) return;
    const { availability, leaseMs, connection } = this.#options;
    await availability.once(async () => {
      const args = [open.incarnation, leaseMs, ...this.#kept(), open.last, open.lastTs];
      const reply = await connection.run(RENEW, open.keys.all, args);
      if (reply === 'OTHER') this.#replaced(open);
      if (reply !== 'ABSENT' || this.#open.get(open.room) !== open) return;
      await this.putBack(open);
      void this.checkAll();
    });
  }
}

function note(open: OpenRoom, last: number, lastTs: number): void {
  open.last = Math.max(open.last, last);
  open.lastTs = Math.max(open.lastTs, lastTs);
}

/**
 * What the script answered, for each draft. What was found although it came after all that this node knew of, an earlier
 * sending of this same batch has stored.
 */
function toAnswers(
  open: OpenRoom,
  reply: unknown,
  { count, knownBefore }: { readonly count: number; readonly knownBefore: number },
): readonly Appended[] {
  const what = `room ${open.room}`;
  if (!Array.isArray(reply) || reply.length !== count * 2) throw unexpected(what);
  const answers: Appended[] = [];
  const seen = new Set<number>();
  for (let i = 0; i < reply.length; i += 2) {
    const place = toNumber(reply[i], what);
    const ts = toNumber(reply[i + 1], what);
    const seq = Math.abs(place);
    answers.push({ seq, ts, isDuplicate: place < 0 && (seq <= knownBefore || seen.has(seq)) });
    seen.add(seq);
    note(open, seq, ts);
  }
  return answers;
}
