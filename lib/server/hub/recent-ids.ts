/** The newest ids and when each was first seen; the oldest are forgotten. */
export class RecentIds {
  readonly #seen = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** When this id was first seen, or undefined. */
  find(id: string): number | undefined {
    return this.#seen.get(id);
  }

  add(id: string, tsMs: number): void {
    this.#seen.set(id, tsMs);
    if (this.#seen.size <= this.#most) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
