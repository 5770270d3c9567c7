import type { Clock } from '../../../clock.ts';
import { BcastError } from '../../../errors.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Appended, Bounds, Draft } from '../../hub/ports.ts';
import { type Availability, toStoreError } from '../../redis/availability.ts';
import type { Argument, RedisConnection, Script } from '../../redis/connection.ts';
import { RedisFailure } from '../../redis/failure.ts';
import { type Keys, ROOM_RECORDS, type RoomKeys, type RoomRecordKind } from '../../redis/keys.ts';
import { Batch, type KnownRoom, note } from './appending.ts';
import { Lane } from './lane.ts';
import { Leases } from './leases.ts';
import type { Replication } from './replication.ts';
import { toBounds, toNumber } from './replies.ts';
import { APPEND, BEGIN, FORGET, OPEN, RENEW, RESTORE, RETAIN } from './scripts.ts';
import { Throttle } from './throttle.ts';

/** Between two attempts to open a room while rooms are being put back, in milliseconds. */
const RECOVERY_PAUSE_MS = 250;
/** The log of a retained room goes so long after its last message was too old, in milliseconds. */
const LOG_SLACK_MS = 86_400_000;
/** What may be under way to Redis at a time, in characters of bodies and as many for each message. */
const MAX_UNDER_WAY = 2_097_152;
const MESSAGE_WEIGHT = 512;
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
  readonly replication: Replication;
  /** Makes sure that a list has the record. */
  readonly index: (kind: RoomRecordKind, room: NameKey) => Promise<void>;
}

/** A room that this node has open. */
interface OpenRoom extends KnownRoom {
  readonly lane: Lane;
  isRetained: boolean;
  batches: number;
  /** It is being forgotten here: whatever comes late must not put it back. */
  isLeaving: boolean;
}

/** The rooms that this node has open: what is said in them goes into Redis, and they are kept from ending there. */
export class RedisRooms {
  readonly #options: RoomsOptions;
  readonly #open = new Map<NameKey, OpenRoom>();
  readonly #onReplaced = new Set<(room: NameKey) => void>();
  readonly #leases: Leases<OpenRoom>;
  readonly #throttle = new Throttle(MAX_UNDER_WAY);
  #recall: Recall = () => undefined;
  #waitingChars = 0;

  constructor(options: RoomsOptions) {
    this.#options = options;
    const { connection, availability, keys, clock, leaseMs } = options;
    this.#leases = new Leases({
      clock,
      leaseMs,
      rooms: () => this.#open.values(),
      count: () => this.#open.size,
      renew: (open) => availability.once(open.keys.channel, () => this.#renew(open)),
      isAlive: () => availability.once(keys.epoch, () => connection.command('EXISTS', keys.epoch)),
    });
    // After a silence, however short: what was there before may be gone.
    availability.onChange((isAvailable) => {
      if (isAvailable) void this.checkAll();
    });
    connection.onDisturbance(() => {
      void this.#begin();
      void this.checkAll();
    });
    void this.#begin();
  }

  recallBy(recall: Recall): void {
    this.#recall = recall;
  }

  onReplaced(listener: (room: NameKey) => void): () => void {
    this.#onReplaced.add(listener);
    return () => void this.#onReplaced.delete(listener);
  }

  async open(room: NameKey): Promise<Bounds> {
    // Opened again: Redis must not begin anew what this node knows.
    const known = this.#open.get(room);
    if (known !== undefined) await this.#options.availability.once(known.keys.channel, () => this.#renew(known));
    const { availability, keys, newIncarnation, leaseMs, recoveryMs, connection } = this.#options;
    const roomKeys = keys.room(room);
    const all = connection.isCluster ? roomKeys.all : [...roomKeys.all, keys.epoch];
    const args = [newIncarnation(), leaseMs, recoveryMs, ...this.#kept()];
    for (;;) {
      const reply = await availability.once(roomKeys.channel, () => connection.run(OPEN, all, args));
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
    await this.#options.availability.once(open.keys.channel, () =>
      this.#inRoom(open, RETAIN, [open.incarnation, isRetained ? 1 : 0, leaseMs, keepMs + LOG_SLACK_MS]),
    );
  }

  /** Answers which of its records it had. */
  async forget(room: NameKey): Promise<readonly RoomRecordKind[]> {
    const { availability, keys, connection, nodeId } = this.#options;
    const open = this.#open.get(room);
    if (open !== undefined) open.isLeaving = true;
    try {
      const args = [open?.incarnation ?? '', nodeId];
      const { all, channel, members } = keys.room(room);
      const had = await availability.once(channel, () => connection.run(FORGET, [...all, members], args));
      if (this.#open.get(room) === open) this.#open.delete(room);
      return ROOM_RECORDS.filter((_, i) => Array.isArray(had) && had[i] === 1);
    } catch (error) {
      if (open !== undefined) open.isLeaving = false;
      throw error;
    }
  }

  /** Unless it is retained, or open elsewhere, it ends with its lease. */
  release(room: NameKey): void {
    const open = this.#open.get(room);
    if (open !== undefined) open.isLeaving = true;
    this.#open.delete(room);
  }

  /** Puts a room back as this node remembers it. Throws INTERNAL when it has begun anew elsewhere. */
  async #putBack(open: OpenRoom): Promise<void> {
    if (open.isLeaving) throw new RedisFailure('refused', `room ${open.room} is not open any more`);
    const { last = 0, lastTs = 0, records = {} } = this.#recall(open.room) ?? {};
    note(open, last, lastTs);
    const { connection, leaseMs, index } = this.#options;
    const texts = ROOM_RECORDS.map((kind) => (records[kind] === undefined ? '' : JSON.stringify(records[kind])));
    const args = [open.incarnation, open.last, open.lastTs, open.isRetained ? 1 : 0, leaseMs, ...texts];
    const reply = await connection.run(RESTORE, open.keys.all, args);
    if (reply === 'OTHER') throw this.#replaced(open);
    await Promise.all(ROOM_RECORDS.filter((_, i) => texts[i] !== '').map((kind) => index(kind, open.room)));
  }

  checkAll(): Promise<void> {
    return this.#leases.checkAll();
  }

  close(): void {
    this.#leases.close();
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
      const open: OpenRoom = {
        room,
        keys,
        incarnation,
        lane,
        isRetained: reply[4] === 1,
        last,
        lastTs,
        batches: 0,
        isLeaving: false,
      };
      this.#open.set(room, open);
    }
    return bounds;
  }

  /** A Redis that begins anew should know so before somebody wants a room. */
  async #begin(): Promise<void> {
    const { connection, keys, recoveryMs } = this.#options;
    // Where it fails, opening a room does the same.
    if (recoveryMs > 0 && !connection.isCluster) await connection.run(BEGIN, [keys.epoch], []).catch(() => undefined);
  }

  #require(room: NameKey): OpenRoom {
    const open = this.#open.get(room);
    if (open === undefined) throw new BcastError('INTERNAL', { cause: new Error(`room ${room} is not open`) });
    return open;
  }

  /** One batch, sent until it is stored. */
  #store(open: OpenRoom, drafts: readonly Draft[]): Promise<readonly Appended[]> {
    const { availability, keepMs, ...common } = this.#options;
    open.batches += 1;
    const batch = new Batch(open, drafts, open.batches, { ...common, logMs: keepMs + LOG_SLACK_MS });
    const weight = drafts.reduce((sum, { body }) => sum + body.length + MESSAGE_WEIGHT, 0);
    return availability.persist(open.keys.channel, async (tried) => {
      const isSentBefore = tried > 0;
      const send = () => this.#inRoom(open, APPEND, batch.arguments(isSentBefore));
      return batch.answers(await this.#throttle.run(weight, send), isSentBefore);
    });
  }

  /** Runs a script about an open room; one that Redis has forgotten is put back first. */
  async #inRoom(open: OpenRoom, script: Script, args: readonly Argument[]): Promise<unknown> {
    const reply = await this.#confirmed(open, script, args);
    if (reply === 'OTHER') throw this.#replaced(open);
    if (reply !== 'ABSENT') return reply;
    await this.#putBackFirst(open);
    const second = await this.#confirmed(open, script, args);
    // It went away again at once; whoever tries again will put it back again.
    if (second === 'ABSENT') throw new RedisFailure('unavailable', `room ${open.room} does not stay`);
    if (second === 'OTHER') throw this.#replaced(open);
    return second;
  }

  async #confirmed({ keys }: OpenRoom, script: Script, args: readonly Argument[]): Promise<unknown> {
    const { connection, replication } = this.#options;
    const reply = await connection.run(script, keys.all, args);
    await replication.confirm(keys.channel);
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

  async #renew(open: OpenRoom): Promise<void> {
    if (this.#open.get(open.room) !== open) return;
    const { connection, leaseMs } = this.#options;
    const args = [open.incarnation, leaseMs, ...this.#kept(), open.last, open.lastTs];
    const reply = await connection.run(RENEW, open.keys.all, args);
    if (this.#open.get(open.room) !== open) return;
    if (reply === 'OTHER') this.#replaced(open);
    if (reply === 'ABSENT' && !open.isLeaving) await this.#putBackFirst(open);
  }

  /** If one room is missing, others may be. */
  async #putBackFirst(open: OpenRoom): Promise<void> {
    await this.#putBack(open);
    void this.checkAll();
  }
}
