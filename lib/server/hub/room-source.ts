import { BcastError } from '../../errors.ts';
import { DEFAULT_ROOM } from '../../limits.ts';
import type { Access, Fingerprint } from '../../protocol/messages.ts';
import type { NameKey, RoomName } from '../../protocol/names.ts';
import { originOf } from './address.ts';
import type { Secrets, Store, StoredRecord } from './ports.ts';
import { Room } from './room.ts';
import { parseRoomState, type RoomState } from './room-state.ts';
import type { User } from './user.ts';

/** Who would own a room that is made, and whether, and how, it must be made. */
export interface Maker {
  readonly user: User;
  readonly fp: Fingerprint;
  readonly address: string;
  readonly create: Access | null;
  /** Called when a room has to be made, before anything is done for it; what it throws is the answer. */
  readonly pay: () => void;
}

export interface Opened {
  readonly room: Room;
  /** Null when it was there already. */
  readonly made: { readonly code: string | null } | null;
}

export interface RoomSourceOptions {
  readonly maxRoomNameLength: number;
}

/** Where rooms come from: the store, or whoever makes them. */
export class RoomSource {
  readonly #store: Store;
  readonly #secrets: Secrets;
  readonly #options: RoomSourceOptions;

  constructor(store: Store, secrets: Secrets, options: RoomSourceOptions) {
    this.#store = store;
    this.#secrets = secrets;
    this.#options = options;
  }

  /**
   * Answers with what opens or makes the room. Rejects with NO_SUCH_ROOM, ROOM_NAME_INVALID and ROOM_EXISTS, and with what
   * the maker's `pay` throws.
   */
  async prepare(name: RoomName, key: NameKey, maker: Maker | null): Promise<() => Promise<Opened>> {
    const record = await this.#store.get('room', key);
    return record === null ? this.#toMake(name, key, maker) : this.#toRestore(key, record, maker?.create ?? null);
  }

  /** What opens the room as the store has it. */
  #toRestore(key: NameKey, { value, version }: StoredRecord, create: Access | null): () => Promise<Opened> {
    const state = parseRoomState(value);
    if (create !== null) throw roomExists(state.name);
    return async () => {
      const room = new Room(key, await this.#store.open(key), state, version);
      room.marks.load((await this.#store.get('read', key))?.value);
      return { room, made: null };
    };
  }

  /** What makes the room, if this maker may. */
  #toMake(name: RoomName, key: NameKey, maker: Maker | null): () => Promise<Opened> {
    if (maker === null) throw new BcastError('NO_SUCH_ROOM', { text: `There is no room ${name}.` });
    this.#checkLength(name);
    maker.pay();
    return () => this.#make(name, key, maker);
  }

  async #make(name: RoomName, key: NameKey, { user, fp, address, create }: Maker): Promise<Opened> {
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
      keptBy: [],
    };
    if (isOurs) await this.#store.retain(key, true);
    const version = await this.#store.put('room', key, state, { over: 0 });
    if (version !== null) {
      const room = new Room(key, bounds, state, version);
      room.origin = originOf(address);
      return { room, made: { code } };
    }
    // Made by another node meanwhile.
    const record = await this.#store.get('room', key);
    if (record === null) throw new BcastError('INTERNAL', { cause: new Error('a room came and went') });
    return this.#toRestore(key, record, create)();
  }

  #checkLength(name: RoomName): void {
    const { maxRoomNameLength } = this.#options;
    if ([...name].length <= maxRoomNameLength) return;
    const text = `The name of a new room has at most ${maxRoomNameLength} characters here.`;
    throw new BcastError('ROOM_NAME_INVALID', { text });
  }
}

export function roomExists(name: RoomName): BcastError {
  return new BcastError('ROOM_EXISTS', { text: `There is a room ${name} already.` });
}
