import type { Clock, Timer } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import { DEFAULT_ROOM, MAX_RECORD_BYTES } from '../../limits.ts';
import type { Access, Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import type { Backplane, Bounds, Secrets, Store } from './ports.ts';
import { Room } from './room.ts';
import { parseRoomState, type RoomState } from './room-state.ts';
import type { User } from './user.ts';

export interface RoomsOptions {
  readonly maxRooms: number;
  readonly maxRoomNameLength: number;
  readonly emptyRoomTtl: number;
}

export interface RoomsListener {
  /** A room could not be forgotten; it is tried again later. */
  readonly onFailure: (error: unknown) => void;
}

/** Who would own a room that is made, and whether, and how, it must be made. */
export interface Maker {
  readonly user: User;
  readonly fp: Fingerprint;
  readonly create: Access | null;
}

export interface Opened {
  readonly room: Room;
  /** Null when it was there already. */
  readonly made: { readonly code: string | null } | null;
}

/** Tries of a change that others make at the same time. */
const MAX_TRIES = 10;

/** The rooms of this node. A room appears with its first member and goes some time after its last. */
export class Rooms {
  readonly #byKey = new Map<NameKey, Room>();
  /** Rooms that nobody needs, and what will take them away; those that wait longest first. */
  readonly #leaving = new Map<Room, Timer>();
  /** Rooms whose history is being opened or forgotten; whoever comes meanwhile waits. */
  readonly #changing = new Map<NameKey, Promise<unknown>>();
  /** The last change of a room that is under way. */
  readonly #updates = new WeakMap<Room, Promise<void>>();
  readonly #store: Store;
  readonly #backplane: Backplane;
  /** What came about rooms that are just being loaded. */
  readonly #early = new Map<NameKey, ((room: Room) => void)[]>();
  readonly #secrets: Secrets;
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
    this.#secrets = secrets;
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
    this.#leaving.get(room)?.cancel();
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
    this.#leaving.get(room)?.cancel();
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
        room.become(state, version);
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
    this.#leaving.set(room, timer);
  }

  /** What history has of the room. */
  async bounds({ key, incarnation, lastSeq }: Room): Promise<Bounds> {
    return (await this.#store.bounds(key)) ?? { incarnation, first: lastSeq + 1, last: lastSeq };
  }

  async #load(name: RoomName, key: NameKey, maker: Maker | null): Promise<Opened> {
    const { maxRooms } = this.#options;
    this.#opening += 1;
    try {
      return await this.#change(key, async () => {
        if (this.#byKey.size + this.#opening > maxRooms) await this.#makeSpace();
        if (this.#byKey.size + this.#opening > maxRooms) {
          throw new BcastError('TOO_MANY_ROOMS', { text: `This server has its ${maxRooms} rooms already.` });
        }
        this.#early.set(key, []);
        try {
          // First, so that nothing is missed between what the store says now and what comes.
          const members = await this.#backplane.enter(key);
          const opened = (await this.#find(key, maker?.create ?? null)) ?? (await this.#make(name, key, maker));
          opened.room.remote.reset(members);
          this.#byKey.set(key, opened.room);
          for (const act of this.#early.get(key) ?? []) act(opened.room);
          return opened;
        } catch (error) {
          await this.#backplane.leave(key);
          throw error;
        } finally {
          this.#early.delete(key);
        }
      });
    } finally {
      this.#opening -= 1;
    }
  }

  /** The room as the store has it. */
  async #find(key: NameKey, create: Access | null): Promise<Opened | null> {
    const record = await this.#store.get('room', key);
    if (record === null) return null;
    const state = parseRoomState(record.value);
    if (create !== null) throw roomExists(state.name);
    const room = new Room(key, await this.#store.open(key), state, record.version);
    room.marks.load((await this.#store.get('read', key))?.value);
    return { room, made: null };
  }

  async #make(name: RoomName, key: NameKey, maker: Maker | null): Promise<Opened> {
    if (maker === null) throw new BcastError('NO_SUCH_ROOM', { text: `There is no room ${name}.` });
    this.#checkLength(name);
    const { user, fp, create } = maker;
    const bounds = await this.#store.open(key);
    const code = create === 'locked' ? this.#secrets.newRoomCode() : null;
    const isOurs = key === DEFAULT_ROOM;
    const state: RoomState = {
      name,
      access: code === null ? 'open' : 'locked',
      codeDigest: code === null ? null : this.#secrets.codeDigest(key, code),
      grants: isOurs ? [] : [{ fp, name: user.name, role: 'owner' }],
      topic: null,
      bans: [],
      mutes: [],
      isRetained: isOurs,
    };
    if (isOurs) await this.#store.retain(key, true);
    const version = await this.#store.put('room', key, state, { over: 0 });
    if (version !== null) return { room: new Room(key, bounds, state, version), made: { code } };
    // Made by another node meanwhile.
    const found = await this.#find(key, create);
    if (found === null) throw new BcastError('INTERNAL', { cause: new Error('a room came and went') });
    return found;
  }

  /** Reads what a room is from the store, where another node has changed it. */
  async reload(room: Room): Promise<void> {
    const record = await this.#store.get('room', room.key);
    if (record === null) throw new BcastError('NO_SUCH_ROOM', { text: `There is no room ${room.name} any more.` });
    room.become(parseRoomState(record.value), record.version);
  }

  #checkLength(name: RoomName): void {
    const { maxRoomNameLength } = this.#options;
    if ([...name].length <= maxRoomNameLength) return;
    const text = `The name of a new room has at most ${maxRoomNameLength} characters here.`;
    throw new BcastError('ROOM_NAME_INVALID', { text });
  }

  /** Forgets the room that has been idle longest: rooms that nobody is in must not keep others from making theirs. */
  async #makeSpace(): Promise<void> {
    const [oldest] = this.#leaving;
    if (oldest === undefined) return;
    const [room, timer] = oldest;
    timer.cancel();
    await this.#forget(room);
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

function roomExists(name: RoomName): BcastError {
  return new BcastError('ROOM_EXISTS', { text: `There is a room ${name} already.` });
}
