/**
 * Lets so much be under way at a time, and the rest wait in line. After an outage every room has a backlog: sent all at once, the
 * last of it would be answered later than anybody waits, and be sent again and again.
 */
export class Throttle {
  readonly #limit: number;
  #underWay = 0;
  readonly #waiting: { readonly weight: number; readonly start: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Does `work` when there is space for its weight, or nothing else is under way. */
  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#hasSpace(weight)) {
      await new Promise<void>((resolve) => this.#waiting.push({ weight, start: resolve }));
    } else {
      this.#underWay += weight;
    }
    try {
      return await work();
    } finally {
      this.#underWay -= weight;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasSpace(next.weight); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#underWay += next.weight;
      next.start();
    }
  }

  #hasSpace(weight: number): boolean {
    return this.#underWay === 0 || this.#underWay + weight <= this.#limit;
  }
}
