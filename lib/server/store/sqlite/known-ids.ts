import type { ChunkReader } from './chunks.ts';
import { entryEnd, entryTs, identityOf } from './entries.ts';
import type { RoomState } from './rooms.ts';

/** How many of a room's newest ids are recognised when they come again, at least. */
export const REMEMBERED_IDS = 4_096;

/** Rooms whose ids are at hand; a room needs up to 2 MiB for them, and 5 ms to get them again. */
const ROOMS_AT_HAND = 16;

export interface KnownMessage {
  readonly seq: number;
  readonly ts: number;
}

/** The newest ids of one room, read from its chunks when somebody first asks and brought up to date when asked again. */
export class KnownIds {
  readonly #all = new Map<string, KnownMessage>();
  #last = 0;

  add(identity: string, message: KnownMessage): void {
    this.#all.set(identity, message);
    this.#last = message.seq;
  }

  find(identity: string): KnownMessage | undefined {
    return this.#all.get(identity);
  }

  catchUp(chunks: ChunkReader, { id, last }: RoomState): void {
    if (this.#all.size > REMEMBERED_IDS * 2) this.#all.clear();
    const first = Math.max(this.#all.size === 0 ? 1 : this.#last + 1, last - REMEMBERED_IDS + 1);
    for (const chunk of chunks.span(id, first, last)) {
      let seq = chunk.first;
      for (let at = 0; at < chunk.entries.length; at = entryEnd(chunk.entries, at)) {
        this.add(identityOf(chunk.entries, at), { seq, ts: entryTs(chunk.entries, at) });
        seq += 1;
      }
    }
  }
}

/** Keeps the ids of the rooms at hand in which messages came again lately. */
export class IdShelf {
  readonly #chunks: ChunkReader;
  readonly #rooms = new Set<RoomState>();

  constructor(chunks: ChunkReader) {
    this.#chunks = chunks;
  }

  idsOf(room: RoomState): KnownIds {
    room.ids ??= new KnownIds();
    room.ids.catchUp(this.#chunks, room);
    this.#rooms.delete(room);
    this.#rooms.add(room);
    const [oldest] = this.#rooms;
    if (this.#rooms.size > ROOMS_AT_HAND && oldest !== undefined) this.drop(oldest);
    return room.ids;
  }

  /** To be called when the room is gone, or when what was added did not come true. */
  drop(room: RoomState): void {
    room.ids = undefined;
    this.#rooms.delete(room);
  }
}
