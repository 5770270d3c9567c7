import type { Clock, Timer } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import { DEFAULT_ROOM } from '../../limits.ts';
import { type NameKey, nameKey, type RoomName } from '../../protocol/names.ts';
import type { Bounds, Store } from './ports.ts';
import { Room } from './room.ts';
import type { User } from './user.ts';

export interface RoomsOptions {
  readonly maxRooms: number;
  readonly emptyRoomTtl: number;
}

/** The rooms of this node. A room appears with its first member and goes some time after its last. */
export class Rooms {
  readonly #byKey = new Map<NameKey, Room>();
  /** Rooms that nobody needs, and what will take them away; those that wait longest first. */
  readonly #leaving = new Map<Room, Timer>();
  /** Rooms whose history is being opened or forgotten; whoever comes meanwhile waits. */
  readonly #changing = new Map<NameKey, Promise<unknown>>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #options: RoomsOptions;
  readonly #onFailure: (error: unknown) => void;
  #opening = 0;

  /** `onFailure` is told when a room could not be forgotten; it is tried again later. */
  constructor(store: Store, clock: Clock, options: RoomsOptions, onFailure: (error: unknown) => void) {
    this.#store = store;
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

  all(): Iterable<Room> {
    return this.#byKey.values();
  }

  occupied(): Room[] {
    return [...this.#byKey.values()].filter(({ size }) => size > 0);
  }

  /**
   * The room of that name, made when it is not there, and owned by `creator` then. It stays until the caller has called
   * `release`, whoever leaves meanwhile. Throws TOO_MANY_ROOMS.
   */
  async open(name: RoomName, creator: User): Promise<Room> {
    const key = nameKey(name);
    while (this.#changing.has(key)) await this.#changing.get(key);
    const room = this.#byKey.get(key) ?? (await this.#make(name, key, creator));
    room.holds += 1;
    this.#leaving.get(room)?.cancel();
    this.#leaving.delete(room);
    return room;
  }

  /** Gives back what `open` gave. */
  release(room: Room): void {
    room.holds -= 1;
    this.settle(room);
  }

  /** To be called when a room may have become idle: it waits a while for who was only cut off, then it is forgotten. */
  settle(room: Room): void {
    if (!room.isIdle || this.#leaving.has(room)) return;
    const timer = this.#clock.after(this.#options.emptyRoomTtl, () => void this.#forget(room));
    this.#leaving.set(room, timer);
  }

  /** What history has of the room. */
  async bounds({ key, incarnation, lastSeq }: Room): Promise<Bounds> {
    return (await this.#store.bounds(key)) ?? { incarnation, first: lastSeq + 1, last: lastSeq };
  }

  async #make(name: RoomName, key: NameKey, creator: User): Promise<Room> {
    const { maxRooms } = this.#options;
    this.#opening += 1;
    try {
      return await this.#change(key, async () => {
        if (this.#byKey.size + this.#opening > maxRooms) await this.#makeSpace();
        if (this.#byKey.size + this.#opening > maxRooms) {
          throw new BcastError('TOO_MANY_ROOMS', { text: `This server has its ${maxRooms} rooms already.` });
        }
        const room = new Room(name, key, await this.#store.open(key), key === DEFAULT_ROOM ? null : creator);
        this.#byKey.set(key, room);
        return room;
      });
    } finally {
      this.#opening -= 1;
    }
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
        await this.#store.forget(room.key);
        this.#byKey.delete(room.key);
      });
    } catch (error) {
      this.#onFailure(error);
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
