import type { Clock, Timer } from '../../../clock.ts';
import type { StoreThread } from './thread.ts';
import type { WriterCalls } from './writer.ts';

/** How soon after a change the store's housekeeping begins, in milliseconds. */
const SOON_MS = 1_000;

/** How often it is done when nothing changes: messages become too old by themselves. */
const SELDOM_MS = 600_000;

/** More messages than this in a second, and what can wait waits. */
const BUSY_MESSAGES_PER_S = 2_000;

export interface TimetableOptions {
  readonly clock: Clock;
  readonly emptyRoomTtl: number;
  readonly onFailure: (error: unknown) => void;
}

/** When the writing thread does its housekeeping: in steps, each a call of its own, so that messages go in between. */
export class Timetable {
  readonly #writer: StoreThread<WriterCalls>;
  readonly #options: TimetableOptions;
  readonly #orphans: Timer;
  #seldom: Timer;
  #soon: Timer | undefined;
  #isStopped = false;
  #appended = 0;

  constructor(writer: StoreThread<WriterCalls>, options: TimetableOptions) {
    this.#writer = writer;
    this.#options = options;
    const { clock, emptyRoomTtl } = options;
    this.#orphans = clock.after(emptyRoomTtl, () => void this.#repeat(() => writer.call('forgetOrphans', [])));
    this.#seldom = clock.after(SELDOM_MS, () => this.#atSeldom());
    this.noteChange();
  }

  noteAppend(count: number): void {
    this.#appended += count;
    this.noteChange();
  }

  noteChange(): void {
    this.#soon ??= this.#options.clock.after(SOON_MS, () => void this.#work());
  }

  stop(): void {
    this.#isStopped = true;
    this.#orphans.cancel();
    this.#seldom.cancel();
    this.#soon?.cancel();
  }

  #atSeldom(): void {
    this.noteChange();
    this.#seldom = this.#options.clock.after(SELDOM_MS, () => this.#atSeldom());
  }

  async #work(): Promise<void> {
    const isBusy = this.#appended > (BUSY_MESSAGES_PER_S * SOON_MS) / 1_000;
    this.#appended = 0;
    await this.#repeat(() => this.#writer.call('upkeep', [this.#options.clock.nowMs(), isBusy]));
    this.#soon = undefined;
    if (this.#appended > 0) this.noteChange();
  }

  async #repeat(step: () => Promise<boolean>): Promise<void> {
    try {
      while (!this.#isStopped && (await step()));
    } catch (error) {
      if (!this.#isStopped) this.#options.onFailure(error);
    }
  }
}
