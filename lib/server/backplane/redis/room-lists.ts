import type { Clock, Timer } from '../../../clock.ts';
import type { RoomRow } from '../../../protocol/messages.ts';
import { MAX_ROWS, type NetworkWord } from './news.ts';

/** How long answers are waited for, in milliseconds. */
const PATIENCE_MS = 300;

/** Rooms that one node is believed to have. */
const MAX_ROOMS_OF_A_NODE = 100_000;

interface Question {
  readonly rows: RoomRow[];
  readonly missing: Set<string>;
  readonly counts: Map<string, number>;
  readonly resolve: (rows: readonly RoomRow[]) => void;
  timer: Timer;
}

export interface RoomListsOptions {
  readonly clock: Clock;
  readonly others: () => readonly string[];
  readonly ask: (word: NetworkWord) => void;
  readonly answer: (node: string, word: NetworkWord) => void;
  readonly ownRooms: () => readonly RoomRow[];
}

type Answer = Extract<NetworkWord, { type: 'rooms' }>;

/** Asks all other nodes for their rooms, and answers them. */
export class RoomLists {
  readonly #options: RoomListsOptions;
  readonly #questions = new Map<number, Question>();
  #asked = 0;
  /** Whoever asks meanwhile gets the same answer. */
  #current: Promise<readonly RoomRow[]> | undefined;

  constructor(options: RoomListsOptions) {
    this.#options = options;
  }

  rooms(): Promise<readonly RoomRow[]> {
    this.#current ??= this.#ask().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  answer(node: string, token: number): void {
    const rows = this.#options.ownRooms();
    for (let i = 0; i === 0 || i < rows.length; i += MAX_ROWS) {
      const isLast = i + MAX_ROWS >= rows.length;
      this.#options.answer(node, { type: 'rooms', token, isLast, rows: rows.slice(i, i + MAX_ROWS) });
    }
  }

  heard(node: string, { token, isLast, rows }: Answer): void {
    const question = this.#questions.get(token);
    if (question === undefined || !question.missing.has(node)) return;
    const count = (question.counts.get(node) ?? 0) + rows.length;
    question.counts.set(node, count);
    if (count <= MAX_ROOMS_OF_A_NODE) question.rows.push(...rows);
    if (isLast) question.missing.delete(node);
    if (question.missing.size === 0) this.#finish(token);
  }

  #ask(): Promise<readonly RoomRow[]> {
    const { clock, others, ask } = this.#options;
    const missing = new Set(others());
    if (missing.size === 0) return Promise.resolve([]);
    this.#asked = (this.#asked + 1) % 0xffff_ffff;
    const token = this.#asked;
    const { promise, resolve } = Promise.withResolvers<readonly RoomRow[]>();
    const timer = clock.after(PATIENCE_MS, () => this.#finish(token));
    this.#questions.set(token, { rows: [], missing, counts: new Map(), resolve, timer });
    ask({ type: 'rooms?', token });
    return promise;
  }

  #finish(token: number): void {
    const question = this.#questions.get(token);
    this.#questions.delete(token);
    question?.timer.cancel();
    question?.resolve(question.rows);
  }
}
