import { Line } from './line.ts';

/** Up to so many things of one owner are no heap: among owners who have no more, only who waits longest counts. */
const FEW = 4;

/**
 * A line in which whoever has put most into it comes first with his oldest; while nobody has more than a few, the oldest
 * of all does. Owners may have owners in turn. Each call takes constant time.
 */
export class FairLine<T> {
  readonly #items = new Line<T>();
  #parts: Map<string, FairLine<T>> | undefined;
  #ranking: Ranking<FairLine<T>> | undefined;

  get size(): number {
    return this.#items.size;
  }

  /** Puts in what is not in yet. `owners` is whose it is, the widest owner first. */
  add(item: T, [owner, ...owners]: readonly string[]): void {
    this.#items.add(item);
    if (owner === undefined) return;
    this.#parts ??= new Map();
    this.#ranking ??= new Ranking();
    const part = this.#parts.get(owner) ?? new FairLine<T>();
    this.#parts.set(owner, part);
    part.add(item, owners);
    this.#ranking.move(part, part.size - 1, part.size);
  }

  /** Takes out what was put in with these owners. */
  delete(item: T, [owner, ...owners]: readonly string[]): void {
    this.#items.delete(item);
    const part = owner === undefined ? undefined : this.#parts?.get(owner);
    if (owner === undefined || part === undefined) return;
    part.delete(item, owners);
    this.#ranking?.move(part, part.size + 1, part.size);
    if (part.size === 0) this.#parts?.delete(owner);
  }

  get first(): T | undefined {
    const ranking = this.#ranking;
    return ranking === undefined || ranking.top <= FEW ? this.#items.first : ranking.first?.first;
  }
}

/** Things by rank, of which the highest is at hand; ranks change in steps of one. */
class Ranking<T> {
  readonly #byRank = new Map<number, Line<T>>();
  #top = 0;

  get top(): number {
    return this.#top;
  }

  get first(): T | undefined {
    return this.#byRank.get(this.#top)?.first;
  }

  /** Rank 0 is not in it. */
  move(item: T, from: number, to: number): void {
    const before = this.#byRank.get(from);
    before?.delete(item);
    if (before?.size === 0) this.#byRank.delete(from);
    if (to > 0) {
      const line = this.#byRank.get(to) ?? new Line<T>();
      this.#byRank.set(to, line);
      line.add(item);
    }
    if (to > this.#top || (from === this.#top && !this.#byRank.has(from))) this.#top = to;
  }
}
