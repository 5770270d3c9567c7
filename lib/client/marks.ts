import type { Clock, Timer } from '../clock.ts';
import { BcastError, type ErrorCode } from '../errors.ts';
import { type NameKey, nameKey, type RoomName } from '../protocol/names.ts';
import type { Ask, Settle } from './connection.ts';

/** PROTOCOL §7.2 asks for no more than one mark a second and room. */
const MIN_INTERVAL_MS = 1_000;
/** Every message to a room is a reason for each of its members to say something: together no more than 100 a second. */
const INTERVAL_PER_MEMBER_MS = 10;

export interface MarksOptions {
  readonly clock: Clock;
  /** From 0 to 1; keeps the members of a room from speaking all at once. */
  readonly random: () => number;
  /** Asks once on the link there is; an error where there is none. */
  readonly send: (ask: Ask, settle: Settle) => void;
}

/** How far one room has got. */
interface Place {
  readonly room: RoomName;
  members: number;
  delivered: number;
  read: number;
  /** What the server was told last. */
  told: { readonly delivered: number; readonly read: number };
  timer: Timer | undefined;
}

/** Refusals after which it is told again, with what has come meanwhile. Without a connection `enter` sees to that. */
const LATER: readonly ErrorCode[] = ['SLOW_DOWN', 'UNAVAILABLE'];

const NOTHING = { delivered: 0, read: 0 } as const;

/** Tells the server, now and then, how far messages have got and how far they were read. Only of rooms that were entered. */
export class Marks {
  readonly #options: MarksOptions;
  readonly #places = new Map<NameKey, Place>();

  constructor(options: MarksOptions) {
    this.#options = options;
  }

  /** This client is in the room, on a new connection perhaps: the server may have forgotten what it was told. */
  enter(room: RoomName, members: number): void {
    const present = this.#places.get(nameKey(room));
    if (present === undefined) {
      this.#places.set(nameKey(room), { room, members, ...NOTHING, told: NOTHING, timer: undefined });
      return;
    }
    present.members = members;
    present.told = NOTHING;
    this.#schedule(present);
  }

  /** Nothing up to `seq` is missing here. */
  deliver(room: RoomName, seq: number): void {
    const place = this.#places.get(nameKey(room));
    if (place === undefined || seq <= place.delivered) return;
    place.delivered = seq;
    this.#schedule(place);
  }

  /** A person has seen everything up to `seq`. */
  read(room: RoomName, seq: number): void {
    const place = this.#places.get(nameKey(room));
    if (place === undefined) return;
    // What has not come here was seen by nobody.
    const seen = Math.min(seq, place.delivered);
    if (seen <= place.read) return;
    place.read = seen;
    this.#schedule(place);
  }

  /** The room has started over, and its seqs begin again. */
  restart(room: RoomName): void {
    const place = this.#places.get(nameKey(room));
    if (place === undefined) return;
    place.timer?.cancel();
    Object.assign(place, NOTHING, { told: NOTHING, timer: undefined });
  }

  leave(room: RoomName): void {
    this.#places.get(nameKey(room))?.timer?.cancel();
    this.#places.delete(nameKey(room));
  }

  /** Tells at once what would be told later: the end is near. */
  flush(): void {
    for (const place of this.#places.values()) {
      if (place.timer === undefined) continue;
      place.timer.cancel();
      this.#tell(place);
    }
  }

  /** There is no connection: what is to be told waits for `enter`. */
  offline(): void {
    for (const place of this.#places.values()) {
      place.timer?.cancel();
      place.timer = undefined;
    }
  }

  #schedule(place: Place): void {
    if (place.timer !== undefined || !isNews(place)) return;
    const intervalMs = Math.max(MIN_INTERVAL_MS, place.members * INTERVAL_PER_MEMBER_MS);
    const delayMs = intervalMs * (1 + this.#options.random() / 2);
    place.timer = this.#options.clock.after(delayMs, () => this.#tell(place));
  }

  #tell(place: Place): void {
    const { room, delivered, read, told } = place;
    place.timer = undefined;
    place.told = { delivered, read };
    this.#options.send({ type: 'mark', room, delivered, read }, (answer) => {
      if (!(answer instanceof BcastError) || !LATER.includes(answer.code)) return;
      place.told = told;
      if (this.#places.get(nameKey(room)) === place) this.#schedule(place);
    });
  }
}

function isNews({ delivered, read, told }: Place): boolean {
  return delivered > told.delivered || read > told.read;
}
