import type { Request } from '../../protocol/messages.ts';

/** Requests that one session may have answered before the others get a turn: a few milliseconds of work. */
const REQUESTS_PER_TURN = 1_024;

/** Requests that may wait before the client is read no further: a heartbeat may be behind them. */
const MAX_WAITING = 16;

export interface RequestLineOptions {
  /** Answers a request; a promise when that takes longer than the call. Never throws or rejects. */
  readonly handle: (request: Request) => undefined | Promise<void>;
  /** Whether it need not wait for others, but for such as itself. */
  readonly isHeartbeat: (request: Request) => boolean;
  /** Whether answers have nowhere to go for now. When that may have changed, `goOn` is to be called. */
  readonly isHeld: () => boolean;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** Called when the line has emptied after something had to wait. */
  readonly onEmpty: () => void;
}

/**
 * The requests of one session, one after another, but for heartbeats. They wait here while one takes longer than its call,
 * while the client does not read its answers, and when it has had its share of the turn. In the usual case nothing waits
 * and nothing is allocated.
 */
export class RequestLine {
  readonly #handle: RequestLineOptions['handle'];
  readonly #isHeartbeat: RequestLineOptions['isHeartbeat'];
  readonly #isHeld: RequestLineOptions['isHeld'];
  readonly #nextTurn: RequestLineOptions['nextTurn'];
  readonly #onEmpty: RequestLineOptions['onEmpty'];
  #waiting: Request[] | undefined;
  /** How many of `waiting` are done: shifting a long array would cost its length each time. */
  #done = 0;
  /** Something is under way that will call `goOn` itself. */
  #isBusy = false;
  #leftThisTurn = REQUESTS_PER_TURN;
  #isClosed = false;

  constructor({ handle, isHeartbeat, isHeld, nextTurn, onEmpty }: RequestLineOptions) {
    this.#handle = handle;
    this.#isHeartbeat = isHeartbeat;
    this.#isHeld = isHeld;
    this.#nextTurn = nextTurn;
    this.#onEmpty = onEmpty;
  }

  /** How many requests wait. */
  get length(): number {
    return this.#waiting === undefined ? 0 : this.#waiting.length - this.#done;
  }

  /** Whether no more should be read for now. */
  get isLong(): boolean {
    return this.length > (this.#isHeld() ? 0 : MAX_WAITING);
  }

  push(request: Request): void {
    if (this.#isClosed) return;
    if (this.#waiting !== undefined) {
      if (this.#mayPass(request)) this.#answer(request);
      else this.#waiting.push(request);
    } else if (this.#mustWait()) {
      this.#waiting = [request];
    } else {
      this.#answer(request);
      if (this.#isBusy) this.#waiting = [];
    }
  }

  /** Goes on with what waits, unless something is under way. */
  goOn(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#isBusy) return;
    while (this.#done < waiting.length) {
      if (this.#isClosed || this.#mustWait()) return;
      this.#answer(waiting[this.#done++] as Request);
      if (this.#isBusy) {
        this.#forgetDone(waiting);
        return;
      }
    }
    if (this.#isClosed) return;
    this.#waiting = undefined;
    this.#done = 0;
    this.#onEmpty();
  }

  /** Forgets what waits. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = undefined;
    this.#done = 0;
  }

  /** A heartbeat does not wait for another request, however long that takes, but for its share of the turn. */
  #mayPass(request: Request): boolean {
    if (!this.#isHeartbeat(request) || this.isLong || this.#leftThisTurn <= 0 || this.#isHeld()) return false;
    return !this.#waiting?.slice(this.#done).some(this.#isHeartbeat);
  }

  #answer(request: Request): void {
    this.#leftThisTurn -= 1;
    const work = this.#handle(request);
    if (work !== undefined) this.#wait((done) => void work.then(done));
  }

  #mustWait(): boolean {
    if (this.#leftThisTurn <= 0) {
      this.#leftThisTurn = REQUESTS_PER_TURN;
      this.#wait(this.#nextTurn);
      return true;
    }
    return this.#isHeld();
  }

  #wait(until: (callback: () => void) => void): void {
    this.#isBusy = true;
    until(() => {
      this.#isBusy = false;
      this.goOn();
    });
  }

  #forgetDone(waiting: Request[]): void {
    if (this.#done < REQUESTS_PER_TURN) return;
    waiting.splice(0, this.#done);
    this.#done = 0;
  }
}
