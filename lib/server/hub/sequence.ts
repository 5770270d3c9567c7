import type { Clock, Timer } from '../../clock.ts';
import type { Draft, StoredMessage } from './ports.ts';
import type { Room } from './room.ts';
import type { UserSession } from './user-session.ts';

/** A message on its way: accepted by the gate, not stored yet. */
export interface Pending {
  readonly draft: Draft;
  readonly room: Room;
  readonly sender: UserSession;
  readonly req: number;
  /** The sender's, as it was when the message was accepted. */
  readonly prefix: Uint8Array;
  /** Members have been shown it although it is not stored. */
  isShown?: boolean;
}

/** A message that is stored, by whichever node. */
export interface Arrived {
  /** Null when another node has stored it, or it was said before. */
  readonly own: Pending | null;
  readonly message: Pick<Draft, 'from' | 'fp' | 'kind' | 'id' | 'body'>;
  readonly seq: number;
  readonly ts: number;
  /** Members have not been told of it. */
  readonly isFresh: boolean;
}

export function arrivedFrom(message: StoredMessage): Arrived {
  return { own: null, message, seq: message.seq, ts: message.ts, isFresh: true };
}

export interface SequenceOptions {
  readonly clock: Clock;
  /** The newest seq that the members have been told. */
  readonly last: () => number;
  /** Tells the members, and moves `last`. */
  readonly deliver: (arrived: readonly Arrived[]) => void;
  /** What history has between two seqs, in order. */
  readonly fetch: (after: number, before: number) => Promise<readonly StoredMessage[]>;
  /** A hole was filled, or given up. */
  readonly onFilled: () => void;
}

/** How long a hole may be only a matter of which connection is faster, in milliseconds. */
const HOLE_MS = 50;

/** Between attempts to read what fills a hole, in milliseconds. */
const RETRY_MS = 500;

/** Brings what several nodes store in one room into the order of its seqs. */
export class Sequence {
  readonly #options: SequenceOptions;
  /** By seq: what waits for what comes before it. */
  readonly #held = new Map<number, Arrived>();
  /** There is something up to this seq. */
  #reached = 0;
  #timer: Timer | undefined;

  constructor(options: SequenceOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#reached <= this.#options.last();
  }

  /** This node's own that wait for what comes before them. */
  waiting(): readonly Pending[] {
    return [...this.#held.values()].flatMap(({ own }) => own ?? []);
  }

  /** Something was said up to that seq: if it does not come by itself, it is fetched. */
  reach(seq: number): void {
    this.#reached = Math.max(this.#reached, seq);
    this.#watch();
  }

  add(arrived: readonly Arrived[]): void {
    const ready: Arrived[] = [];
    let next = this.#options.last() + 1;
    for (const each of arrived) {
      if (!each.isFresh || each.seq < next) this.#late(each, ready);
      else if (each.seq === next) {
        ready.push(each);
        next = this.#follow(next + 1, ready);
      } else this.#hold(each);
    }
    if (ready.length > 0) this.#options.deliver(ready);
    this.#watch();
  }

  /** Told already: only its sender still waits for an answer. */
  #late(each: Arrived, ready: Arrived[]): void {
    if (each.own !== null) ready.push({ ...each, isFresh: false });
  }

  /** What was held from this seq on without a hole; returns the seq behind it. */
  #follow(from: number, ready: Arrived[]): number {
    let next = from;
    for (let held = this.#held.get(next); held !== undefined; held = this.#held.get(next)) {
      this.#held.delete(next);
      ready.push(held);
      next += 1;
    }
    return next;
  }

  /** One's own goes before the same from elsewhere: it has a sender who waits. */
  #hold(each: Arrived): void {
    if (each.own !== null || !this.#held.has(each.seq)) this.#held.set(each.seq, each);
  }

  #watch(delayMs = HOLE_MS): void {
    if (this.isEmpty) {
      this.#timer?.cancel();
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = this.#options.clock.after(delayMs, () => void this.#fill());
    }
  }

  async #fill(): Promise<void> {
    const after = this.#options.last();
    // All holes at once: waiting for each would take as long as there are holes.
    const before = Math.max(this.#reached + 1, ...this.#held.keys());
    let delayMs = HOLE_MS;
    try {
      const found = await this.#options.fetch(after, before);
      this.#timer = undefined;
      const missing = found.filter(({ seq }) => !this.#held.has(seq));
      this.add(missing.map(arrivedFrom));
      // What history has no more is gone: the members see the hole and ask for themselves.
      if (missing.length === 0) this.#skip();
    } catch {
      delayMs = RETRY_MS;
      this.#timer = undefined;
    }
    this.#watch(delayMs);
    this.#options.onFilled();
  }

  #skip(): void {
    this.#reached = 0;
    const before = Math.min(...this.#held.keys());
    if (this.isEmpty || this.#options.last() >= before) return;
    const ready: Arrived[] = [];
    this.#follow(before, ready);
    if (ready.length > 0) this.#options.deliver(ready);
  }
}
