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
  /** Rooms without members, and what will take them away. */
  readonly #leaving = new Map<Room, Timer>();
  /** Rooms whose history is being opened or forgotten; whoever comes meanwhile waits. */
  readonly #changing = new Map<NameKey, Promise<unknown>>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #options: RoomsOptions;

  constructor(store: Store, clock: Clock, options: RoomsOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(name: RoomName): Room | undefined {
    return this.#byKey.get(nameKey(name));
  }

  occupied(): Room[] {
    return [...this.#byKey.values()].filter(({ size }) => size > 0);
  }

  /** The room of that name, made when it is not there, and owned by `creator` then. Throws TOO_MANY_ROOMS. */
  async open(name: RoomName, creator: User): Promise<Room> {
    const key = nameKey(name);
    while (this.#changing.has(key)) await this.#changing.get(key);
    const present = this.#byKey.get(key);
    if (present !== undefined) return present;
    if (this.#byKey.size >= this.#options.maxRooms) {
      throw new BcastError('TOO_MANY_ROOMS', { text: `This server has its ${this.#options.maxRooms} rooms already.` });
    }
    const bounds = await this.#change(key, this.#store.open(key));
    const owner = key === DEFAULT_ROOM ? null : creator;
    const room = new Room(name, key, bounds, owner);
    this.#byKey.set(key, room);
    return room;
  }

  /** What history has of the room. */
  async bounds({ key, incarnation, lastSeq }: Room): Promise<Bounds> {
    return (await this.#store.bounds(key)) ?? { incarnation, first: lastSeq + 1, last: lastSeq };
  }

  /** To be called when somebody entered. */
  keep(room: Room): void {
    this.#leaving.get(room)?.cancel();
    this.#leaving.delete(room);
  }

  /** To be called when somebody left: an empty room waits a while for who was only cut off, then it is forgotten. */
  release(room: Room): void {
    if (room.size > 0 || this.#leaving.has(room)) return;
    this.#leaving.set(
      room,
      this.#clock.after(this.#options.emptyRoomTtl, () => void this.#forget(room)),
    );
  }

  async #forget(room: Room): Promise<void> {
    this.#leaving.delete(room);
    if (room.size > 0 || this.#byKey.get(room.key) !== room) return;
    this.#byKey.delete(room.key);
    await this.#change(room.key, this.#store.forget(room.key)).catch(() => undefined);
  }

  async #change<T>(key: NameKey, work: Promise<T>): Promise<T> {
    this.#changing.set(
      key,
      work.catch(() => undefined),
    );
    try {
      return await work;
    } finally {
      this.#changing.delete(key);
    }
  }
}
