import type { Timer } from '../../clock.ts';
import { FairLine } from './fair-line.ts';
import { Line } from './line.ts';
import type { Room } from './room.ts';

interface Wait {
  readonly timer: Timer;
  /** Null for a kept room. */
  readonly owners: readonly string[] | null;
}

/** Rooms that nobody needs, what will take them away, and which of them goes first when space is needed before. */
export class Leaving {
  readonly #waits = new Map<Room, Wait>();
  /** They come back from the store as they were: to give up such a room costs nobody anything. */
  readonly #kept = new Line<Room>();
  readonly #others = new FairLine<Room>();

  get size(): number {
    return this.#waits.size;
  }

  has(room: Room): boolean {
    return this.#waits.has(room);
  }

  /** Adds a room that is not in yet. */
  add(room: Room, timer: Timer): void {
    const owners = room.state.isRetained ? null : ownersOf(room);
    this.#waits.set(room, { timer, owners });
    if (owners === null) this.#kept.add(room);
    else this.#others.add(room, owners);
  }

  /** The room is needed again, or gone. */
  delete(room: Room): void {
    const wait = this.#waits.get(room);
    if (wait === undefined) return;
    wait.timer.cancel();
    this.#waits.delete(room);
    if (wait.owners === null) this.#kept.delete(room);
    else this.#others.delete(room, wait.owners);
  }

  /** A kept room, or the one that waits longest of whoever has left most behind: others' stay for as long as they may. */
  get next(): Room | undefined {
    return this.#kept.first ?? this.#others.first;
  }
}

/**
 * Who made it: the address before the identity, since identities cost nothing. Of a room that came from the store only the
 * identity is known.
 */
function ownersOf({ origin, state }: Room): readonly string[] {
  const maker = state.grants[0]?.fp ?? '';
  return origin === null ? [maker] : [origin, maker];
}
