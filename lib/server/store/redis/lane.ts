import { type BcastError, toBcastError } from '../../../errors.ts';
import type { Appended, Draft } from '../../hub/ports.ts';

/** The most that one script stores: Redis does nothing else meanwhile. */
const MAX_BATCH_MESSAGES = 256;
const MAX_BATCH_CHARS = 524_288;

/** Some drafts of one room whose sender waits for all of them. */
class Group {
  readonly answers: Appended[] = [];
  readonly promise: Promise<readonly Appended[]>;
  readonly #size: number;
  readonly #resolve: (answers: readonly Appended[]) => void;
  readonly reject: (error: BcastError) => void;

  constructor(size: number) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Appended[]>();
    this.promise = promise;
    this.#size = size;
    this.#resolve = resolve;
    this.reject = reject;
  }

  answer(answer: Appended): void {
    this.answers.push(answer);
    if (this.answers.length === this.#size) this.#resolve(this.answers);
  }
}

/** Stores a batch of one room, however often it must be tried. */
export type StoreBatch = (drafts: readonly Draft[]) => Promise<readonly Appended[]>;

/**
 * The drafts of one room on their way to Redis: one batch at a time, so that order holds whatever has to be sent again. What
 * comes meanwhile goes with the next batch; a slow Redis makes larger batches.
 */
export class Lane {
  readonly #store: StoreBatch;
  #waiting: { readonly draft: Draft; readonly group: Group }[] = [];
  #isBusy = false;

  constructor(store: StoreBatch) {
    this.#store = store;
  }

  /** The answers in the order of the drafts, of which there is at least one. */
  append(drafts: readonly Draft[]): Promise<readonly Appended[]> {
    const group = new Group(drafts.length);
    for (const draft of drafts) this.#waiting.push({ draft, group });
    if (!this.#isBusy) void this.#run();
    return group.promise;
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#batchSize());
      try {
        const answers = await this.#store(batch.map(({ draft }) => draft));
        batch.forEach(({ group }, i) => {
          group.answer(answers[i] as Appended);
        });
      } catch (error) {
        this.#fail(batch, toBcastError(error));
      }
    }
    this.#isBusy = false;
  }

  #batchSize(): number {
    let chars = 0;
    for (let i = 0; i < this.#waiting.length; i += 1) {
      chars += this.#waiting[i]?.draft.body.length ?? 0;
      if (i > 0 && (i === MAX_BATCH_MESSAGES || chars > MAX_BATCH_CHARS)) return i;
    }
    return this.#waiting.length;
  }

  /** A group fails as a whole: what of it waits for the next batch is not stored any more. */
  #fail(batch: readonly { readonly group: Group }[], error: BcastError): void {
    const failed = new Set(batch.map(({ group }) => group));
    this.#waiting = this.#waiting.filter(({ group }) => !failed.has(group));
    for (const { reject } of failed) reject(error);
  }
}
