/** Things in the order in which they came, of which the first is at hand in constant time, whichever were taken out. */
export class Line<T> {
  readonly #items = new Set<T>();
  // Kept, as a new one would pass over all places that became empty in front: V8 closes them rarely.
  #walk: Iterator<T> | undefined;
  #first: T | undefined;

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
    if (this.#first === item) this.#first = undefined;
  }

  get first(): T | undefined {
    if (this.#first !== undefined || this.#items.size === 0) return this.#first;
    this.#walk ??= this.#items.values();
    let next = this.#walk.next();
    if (next.done === true) {
      // Ended while it was empty; what came since is not behind an end.
      this.#walk = this.#items.values();
      next = this.#walk.next();
    }
    this.#first = next.value;
    return this.#first;
  }
}
