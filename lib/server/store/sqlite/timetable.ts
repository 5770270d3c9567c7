import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../../../clock.ts';
import type { ReaderCalls } from './reader.ts';
import type { Caller } from './thread.ts';
import type { WriterCalls } from './writer.ts';

/** How soon after a change the disk is told and the store's housekeeping begins, in milliseconds. */
const SOON_MS = 1_000;

/** How often it is done when nothing changes: messages become too old by themselves. */
const SELDOM_MS = 600_000;

/** More messages than this in a second, and what can wait waits. */
const BUSY_MESSAGES_PER_S = 2_000;

/** When so much is in the log it is time to copy it into the file, in bytes. */
const CHECKPOINT_BYTES = 8_388_608;

/** What a change adds to the log beside its own bytes: about two pages. */
const LOG_BYTES_PER_CHANGE = 8_192;

export interface TimetableOptions {
  readonly path: string;
  readonly isSynced: boolean;
  readonly clock: Clock;
  readonly emptyRoomTtl: number;
  readonly onFailure: (error: unknown) => void;
}

interface Workers {
  readonly writer: Caller<WriterCalls>;
  readonly reader: Caller<ReaderCalls>;
}

/** When what can wait is done. The writing thread does it in steps, each a call of its own, so that messages go in between. */
export class Timetable {
  readonly #workers: Workers;
  readonly #options: TimetableOptions;
  readonly #orphans: Timer;
  #seldom: Timer;
  #soon: Timer | undefined;
  #isStopped = false;
  /** Since the last round of housekeeping. */
  #messages = 0;
  #isChanged = false;
  /** Since the last checkpoint. */
  #logBytes = 0;

  constructor(workers: Workers, options: TimetableOptions) {
    this.#workers = workers;
    this.#options = options;
    const { clock, emptyRoomTtl } = options;
    const forgetOrphans = () => workers.writer.call('forgetOrphans', []);
    this.#orphans = clock.after(emptyRoomTtl, () => void this.#try(() => this.#repeat(forgetOrphans)));
    this.#seldom = clock.after(SELDOM_MS, () => this.#atSeldom());
    this.#arm();
  }

  /** To be called when something was written: so many messages, of so many bytes in all. */
  noteChange(messages = 0, bytes = 0): void {
    this.#messages += messages;
    this.#logBytes += bytes + LOG_BYTES_PER_CHANGE;
    this.#isChanged = true;
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#orphans.cancel();
    this.#seldom.cancel();
    this.#soon?.cancel();
  }

  #arm(): void {
    this.#soon ??= this.#options.clock.after(SOON_MS, () => void this.#try(() => this.#work()));
  }

  #atSeldom(): void {
    this.#arm();
    this.#seldom = this.#options.clock.after(SELDOM_MS, () => this.#atSeldom());
  }

  async #work(): Promise<void> {
    const { isSynced, clock } = this.#options;
    const { writer, reader } = this.#workers;
    const isBusy = this.#messages > (BUSY_MESSAGES_PER_S * SOON_MS) / 1_000;
    const isChanged = this.#isChanged;
    this.#messages = 0;
    this.#isChanged = false;
    try {
      if (isChanged && !isSynced) await this.#sync();
      await this.#repeat(() => writer.call('upkeep', [clock.nowMs(), isBusy]));
      if (this.#logBytes >= CHECKPOINT_BYTES) {
        this.#logBytes = 0;
        await reader.call('checkpoint', []);
      }
    } finally {
      this.#soon = undefined;
      if (this.#isChanged) this.#arm();
    }
  }

  /** Lets the disk have what is in the log. Closing this handle takes no lock away: SQLite locks other files. */
  async #sync(): Promise<void> {
    const file = await open(`${this.#options.path}-wal`, 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #repeat(step: () => Promise<boolean>): Promise<void> {
    while (!this.#isStopped && (await step()));
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#isStopped) this.#options.onFailure(error);
    }
  }
}
