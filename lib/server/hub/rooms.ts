import type { Clock } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import { MAX_RECORD_BYTES } from '../../limits.ts';
import { type NameKey, nameKey, type RoomName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import { Leaving } from './leaving.ts';
import type { Backplane, Bounds, Secrets, Store } from './ports.ts';
import type { Room } from './room.ts';
import { type Maker, type Opened, RoomSource, roomExists } from './room-source.ts';
import { parseRoomState, type RoomState } from './room-state.ts';

export interface RoomsOptions {
  readonly maxRooms: number;
  readonly maxRoomNameLength: number;
  readonly emptyRoomTtl: number;
}

export interface RoomsListener {
  /** A room could not be forgotten; it is tried again later. */
  readonly onFailure: (error: unknown) => void;
}

/** Tries of a change that others make at the same time. */
const MAX_TRIES = 10;

/** The rooms of this node. A room appears with its first member and goes some time after its last. */
export class Rooms {
  readonly #byKey = new Map<NameKey, Room>();
  readonly #leaving = new Leaving();
  /** Rooms whose history is being opened or forgotten; whoever comes meanwhile waits. */
  readonly #changing = new Map<NameKey, Promise<unknown>>();
  /** The last change of a room that is under way. */
  readonly #updates = new WeakMap<Room, Promise<void>>();
  readonly #store: Store;
  readonly #backplane: Backplane;
  /** What came about rooms that are just being loaded. */
  readonly #early = new Map<NameKey, ((room: Room) => void)[]>();
  readonly #source: RoomSource;
  readonly #clock: Clock;
  readonly #options: RoomsOptions;
  readonly #onFailure: (error: unknown) => void;
  #opening = 0;

  constructor(
    store: Store,
    backplane: Backplane,
    secrets: Secrets,
    clock: Clock,
    options: RoomsOptions,
    { onFailure }: RoomsListener,
  ) {
    this.#store = store;
    this.#backplane = backplane;
    this.#source = new RoomSource(store, secrets, options);
    this.#clock = clock;
    this.#options = options;
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Rooms that somebody is in, or is about to be; told without looking at them, since anybody may ask. */
  get occupiedCount(): number {
    return this.#byKey.size - this.#leaving.size;
  }

  find(name: RoomName): Room | undefined {
    return this.#byKey.get(nameKey(name));
  }

  /** By its key, if it is in memory. */
  get(key: NameKey): Room | undefined {
    return this.#byKey.get(key);
  }

  /** All that are in memory. */
  all(): Iterable<Room> {
    return this.#byKey.values();
  }

  /** Does it with the room of that key: now, or when it is loaded if it just is; never for one that is not in memory. */
  whenThere(key: NameKey, act: (room: Room) => void): void {
    const room = this.#byKey.get(key);
    if (room !== undefined) act(room);
    else this.#early.get(key)?.push(act);
  }

  /** The room is no more, says another node: nobody is in it here, so it is only dropped. */
  async drop(room: Room): Promise<void> {
    if (!room.isIdle) return;
    this.#leaving.delete(room);
    await this.#change(room.key, async () => {
      await this.#store.release(room.key);
      this.#byKey.delete(room.key);
      await this.#backplane.leave(room.key);
    });
  }

  occupied(): Room[] {
    return [...this.#byKey.values()].filter(({ size }) => size > 0);
  }

  /**
   * The room of that name, made when it is not there; without a maker that is NO_SUCH_ROOM. It stays until the caller has
   * called `release`, whoever leaves meanwhile. Throws TOO_MANY_ROOMS and ROOM_NAME_INVALID, and ROOM_EXISTS when it was
   * to be made.
   */
  async open(name: RoomName, maker: Maker | null): Promise<Opened> {
    const key = nameKey(name);
    while (this.#changing.has(key)) await this.#changing.get(key);
    const present = this.#byKey.get(key);
    if (present !== undefined && maker !== null && maker.create !== null) throw roomExists(name);
    const opened = present === undefined ? await this.#load(name, key, maker) : { room: present, made: null };
    const { room } = opened;
    room.holds += 1;
    this.#leaving.delete(room);
    return opened;
  }

  /**
   * Changes what a room is, in the store and then here. `change` may be called again on what another has made of it
   * meanwhile; what it throws ends the attempt.
   */
  update(room: Room, change: (state: RoomState) => RoomState): Promise<void> {
    // One after another: of many that came at once all but one would try again, and again.
    const updated = (this.#updates.get(room) ?? Promise.resolve()).then(() => this.#update(room, change));
    this.#updates.set(
      room,
      updated.catch(() => undefined),
    );
    return updated;
  }

  async #update(room: Room, change: (state: RoomState) => RoomState): Promise<void> {
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const state = change(room.state);
      if (utf8Length(JSON.stringify(state)) > MAX_RECORD_BYTES) {
        throw new BcastError('BAD_REQUEST', { text: 'That is more than a room can remember; lift a ban first.' });
      }
      const version = await this.#store.put('room', room.key, state, { over: room.version });
      if (version !== null) {
        this.#become(room, state, version);
        this.#backplane.tellRoom(room.key, { type: 'changed' });
        return;
      }
      await this.reload(room);
    }
    throw new BcastError('INTERNAL', { cause: new Error('a room is changed without end') });
  }

  /** Saves what rooms remember beside their state; to be called now and then. */
  async save(): Promise<void> {
    for (const room of this.#byKey.values()) {
      if (room.marks.isDirty) await this.#store.put('read', room.key, room.marks.save());
    }
  }

  /** Gives back what `open` gave. */
  release(room: Room): void {
    room.holds -= 1;
    this.settle(room);
  }

  /** To be called when a room may have become idle: it waits a while for who was only cut off, then it is forgotten. */
  settle(room: Room): void {
    if (!room.isIdle || this.#leaving.has(room)) return;
    // What others are in is theirs to keep; but they may have left at the same moment.
    const isTheirs = !room.remote.isEmpty;
    const nowMs = this.#clock.monotonicMs();
    // Who only knocks does not keep it.
    room.emptySinceMs = isTheirs ? null : (room.emptySinceMs ?? nowMs);
    const leftMs = (room.emptySinceMs ?? nowMs) + this.#options.emptyRoomTtl - nowMs;
    const timer = this.#clock.after(isTheirs ? 0 : Math.max(0, leftMs), () => {
      this.#leaving.delete(room);
      if (isTheirs && room.remote.isEmpty) this.settle(room);
      else void this.#forget(room);
    });
    this.#leaving.add(room, timer);
  }

  /** What history has of the room. */
  async bounds({ key, incarnation, lastSeq }: Room): Promise<Bounds> {
    return (await this.#store.bounds(key)) ?? { incarnation, first: lastSeq + 1, last: lastSeq };
  }

  #load(name: RoomName, key: NameKey, maker: Maker | null): Promise<Opened> {
    return this.#change(key, async () => {
      this.#early.set(key, []);
      try {
        // First, so that nothing is missed between what the store says now and what comes.
        const members = await this.#backplane.enter(key);
        // Before space is made: what is refused must cost nobody a room.
        const obtain = await this.#source.prepare(name, key, maker);
        return await this.#inSpace(async () => {
          const opened = await obtain();
          opened.room.remote.reset(members);
          this.#byKey.set(key, opened.room);
          for (const act of this.#early.get(key) ?? []) act(opened.room);
          return opened;
        });
      } catch (error) {
        await this.#backplane.leave(key);
        throw error;
      } finally {
        this.#early.delete(key);
      }
    });
  }

  /** Does `work`, which adds one room, when there is space for that. Rejects with TOO_MANY_ROOMS. */
  async #inSpace<T>(work: () => Promise<T>): Promise<T> {
    const { maxRooms } = this.#options;
    this.#opening += 1;
    try {
      if (this.#byKey.size + this.#opening > maxRooms) await this.#makeSpace();
      if (this.#byKey.size + this.#opening > maxRooms) {
        throw new BcastError('TOO_MANY_ROOMS', { text: `This server has its ${maxRooms} rooms already.` });
      }
      return await work();
    } finally {
      this.#opening -= 1;
    }
  }

  /** Reads what a room is from the store, where another node has changed it. */
  async reload(room: Room): Promise<void> {
    const record = await this.#store.get('room', room.key);
    if (record === null) throw new BcastError('NO_SUCH_ROOM', { text: `There is no room ${room.name} any more.` });
    this.#become(room, parseRoomState(record.value), record.version);
  }

  #become(room: Room, state: RoomState, version: number): void {
    const isKept = room.state.isRetained;
    room.become(state, version);
    if (state.isRetained === isKept || !this.#leaving.has(room)) return;
    // Kept rooms go another way.
    this.#leaving.delete(room);
    this.settle(room);
  }

  /** Gives up an idle room: rooms that nobody is in must not keep others from making theirs. */
  async #makeSpace(): Promise<void> {
    const room = this.#leaving.next;
    if (room !== undefined) await this.#forget(room);
  }

  async #forget(room: Room): Promise<void> {
    this.#leaving.delete(room);
    try {
      await this.#change(room.key, async () => {
        if (room.marks.isDirty) await this.#store.put('read', room.key, room.marks.save());
        if (room.state.isRetained || !room.remote.isEmpty) await this.#store.release(room.key);
        else {
          await this.#store.forget(room.key);
          this.#backplane.tellRoom(room.key, { type: 'forgotten' });
        }
        this.#byKey.delete(room.key);
        await this.#backplane.leave(room.key);
      });
    } catch (error) {
      this.#onFailure(error);
      room.emptySinceMs = null;
      this.settle(room);
    }
  }

  /** Does `work`, of which the last thing is to change `byKey`, while others wait for the room of that key. */
  async #change<T>(key: NameKey, work: () => Promise<T>): Promise<T> {
    const changed = work();
    this.#changing.set(
      key,
      changed.catch(() => undefined),
    );
    try {
      return await changed;
    } finally {
      this.#changing.delete(key);
    }
  }
}
