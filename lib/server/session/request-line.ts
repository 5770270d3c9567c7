import type { Request } from '../../protocol/messages.ts';

/**
 * The requests of one session, one after another: while one takes longer than its call, the others wait here. In the
 * usual case nothing waits and nothing is allocated.
 */
export class RequestLine {
  readonly #handle: (request: Request) => undefined | Promise<void>;
  /** Called when the line has emptied after something had to wait. */
  readonly #onEmpty: () => void;
  #waiting: Request[] | undefined;
  #isClosed = false;

  constructor(handle: (request: Request) => undefined | Promise<void>, onEmpty: () => void) {
    this.#handle = handle;
    this.#onEmpty = onEmpty;
  }

  /** How many requests wait. */
  get length(): number {
    return this.#waiting?.length ?? 0;
  }

  push(request: Request): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(request);
      return;
    }
    const work = this.#handle(request);
    if (work !== undefined) void this.#goOn(work);
  }

  /** Forgets what waits. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = this.#waiting && [];
  }

  async #goOn(work: Promise<void>): Promise<void> {
    const waiting: Request[] = [];
    this.#waiting = waiting;
    await work;
    // By index, since shifting a long array costs its length each time.
    for (let i = 0; i < waiting.length && !this.#isClosed; i += 1) await this.#handle(waiting[i] as Request);
    this.#waiting = undefined;
    if (!this.#isClosed) this.#onEmpty();
  }
}
