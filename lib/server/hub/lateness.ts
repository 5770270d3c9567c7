import type { Clock, Timer } from '../../clock.ts';
import { encodeEvent } from '../../protocol/codec.ts';
import type { Turn } from './ports.ts';
import type { Room } from './room.ts';
import type { Pending } from './sequence.ts';

/** After so long members are shown what is not stored yet, in milliseconds. */
const UNSTORED_MS = 30;

/** Messages of one room that wait for those before them to be stored. */
interface Waiting {
  /** Another list whenever the store begins with what has waited. */
  readonly pending: readonly Pending[];
}

export interface LatenessOptions {
  readonly turn: Turn;
  readonly clock: Clock;
}

/**
 * Lets members see what is said while the store is out of reach; its sender has no `ok` and keeps it. What is shown comes
 * twice, so a busy server must not take itself for a late store: it looks first whether the answer has come.
 */
export class Lateness {
  readonly #options: LatenessOptions;
  readonly #watched = new WeakSet<readonly Pending[]>();

  constructor(options: LatenessOptions) {
    this.#options = options;
  }

  /** Shows what is late by then, unless it is cancelled before. */
  watch(room: Room, late: () => readonly Pending[]): Timer {
    const { clock, turn } = this.#options;
    let isCancelled = false;
    const timer = clock.after(UNSTORED_MS, () =>
      turn.atEnd(() => {
        if (!isCancelled) this.#show(room, late());
      }),
    );
    return {
      cancel() {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  /** What comes while the store is late is late too, unless the store goes on to it meanwhile. */
  watchWaiting(waiting: Waiting, room: Room): void {
    const { pending } = waiting;
    if (this.#watched.has(pending)) return;
    this.#watched.add(pending);
    this.watch(room, () => {
      this.#watched.delete(pending);
      return waiting.pending === pending ? pending : [];
    });
  }

  #show(room: Room, round: readonly Pending[]): void {
    for (const pending of round) {
      if (pending.isShown) continue;
      pending.isShown = true;
      const { draft, sender } = pending;
      const { from, fp, kind, ts, id, body } = draft;
      const bytes = encodeEvent({ type: 'unstored', room: room.name, from, fp, kind, ts, id, body });
      for (const { session } of room.members) {
        if (session !== sender) session.outbox.sendRoom(room.name, bytes, 1);
      }
    }
    this.#options.turn.flush();
  }
}
