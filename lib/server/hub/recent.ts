/**
 * Remembers what was set lately: the newest `most` entries at least and twice as many at most. Entries go a generation
 * at a time, because deleting the oldest entry of a Map one by one makes every look at its beginning slower.
 */
export class Recent<K, V> {
  readonly #most: number;
  #newer = new Map<K, V>();
  #older = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  set(key: K, value: V): void {
    this.#newer.set(key, value);
    if (this.#newer.size < this.#most) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
