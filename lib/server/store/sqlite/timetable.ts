import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../../../clock.ts';
import type { ReaderCalls } from './reader.ts';
import type { Caller } from './thread.ts';
import type { WriterCalls } from './writer.ts';

/** How soon the disk is told of a change, in milliseconds. */
const SYNC_MS = 1_000;

/** How soon after a change the housekeeping begins, in milliseconds... */
const UPKEEP_MS = 10_000;

/** ...unless so much comes before; in bytes. */
const UPKEEP_BYTES = 8_388_608;

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
  readonly #timers = new Map<string, Timer>();
  #isStopped = false;
  #isWorking = false;
  /** Since the last housekeeping. */
  #messages = 0;
  #bytes = 0;
  #sinceMs: number;
  /** Since the last checkpoint. */
  #logBytes = 0;

  constructor(workers: Workers, options: TimetableOptions) {
    this.#workers = workers;
    this.#options = options;
    this.#sinceMs = options.clock.monotonicMs();
    const forgetOrphans = () => workers.writer.call('forgetOrphans', []);
    this.#plan('orphans', options.emptyRoomTtl, () => this.#repeat(forgetOrphans));
    this.#plan('upkeep', UPKEEP_MS, () => this.#upkeep());
    this.#planSeldom();
  }

  /** To be called when something was written: so many messages, of so many bytes in all. */
  noteChange(messages = 0, bytes = 0): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#logBytes += bytes + LOG_BYTES_PER_CHANGE;
    if (!this.#options.isSynced) this.#plan('sync', SYNC_MS, () => this.#sync());
    this.#plan('upkeep', UPKEEP_MS, () => this.#upkeep());
    if (this.#bytes >= UPKEEP_BYTES) void this.#try(() => this.#upkeep());
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** Does the work in so many milliseconds, unless it is planned already. */
  #plan(name: string, delayMs: number, work: () => Promise<void>): void {
    if (this.#timers.has(name)) return;
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(name);
      void this.#try(work);
    });
    this.#timers.set(name, timer);
  }

  #planSeldom(): void {
    this.#plan('seldom', SELDOM_MS, () => {
      this.#planSeldom();
      return this.#upkeep();
    });
  }

  async #upkeep(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    const { clock } = this.#options;
    const { writer, reader } = this.#workers;
    const elapsedMs = clock.monotonicMs() - this.#sinceMs;
    const isBusy = this.#messages * 1_000 > BUSY_MESSAGES_PER_S * elapsedMs;
    this.#sinceMs += elapsedMs;
    this.#messages = 0;
    this.#bytes = 0;
    try {
      await writer.call('beginUpkeep', [isBusy]);
      await this.#repeat(() => writer.call('upkeep', [clock.nowMs()]));
      if (this.#logBytes < CHECKPOINT_BYTES) return;
      this.#logBytes = 0;
      await reader.call('checkpoint', []);
    } finally {
      this.#isWorking = false;
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
