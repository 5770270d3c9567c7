import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import { OPERATOR } from '../../protocol/names.ts';
import type { Records } from './ports.ts';
import type { User } from './user.ts';

/** One act of somebody with a role. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly ts: number;
  readonly by: string;
  /** Of who did it; null for the operator on the machine itself. */
  readonly fp: string | null;
  readonly action: string;
  readonly [detail: string]: string | number | boolean | null;
}

/** How long an act is remembered, in milliseconds. */
const KEPT_MS = 365 * 86_400_000;

/** What moderators, admins and the operator did, in the store. */
export class Audit {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #log: Logger;
  #count = 0;

  constructor(records: Records, clock: Clock, log: Logger) {
    this.#records = records;
    this.#clock = clock;
    this.#log = log;
  }

  /** Never rejects: the act is done, and its record must not undo the answer. */
  async note(
    actor: Pick<User, 'name' | 'fp'> | null,
    action: string,
    details: Readonly<Record<string, string | number | boolean | null>>,
  ): Promise<void> {
    const ts = this.#clock.nowMs();
    const entry: AuditEntry = { ts, by: actor?.name ?? OPERATOR, fp: actor?.fp ?? null, action, ...details };
    this.#count += 1;
    // In the order of time; the rest keeps acts of one moment, and of several nodes, apart.
    const key = `${String(ts).padStart(16, '0')} ${actor?.fp ?? OPERATOR} ${this.#count}`;
    try {
      await this.#records.put('audit', key, entry, { expiresMs: ts + KEPT_MS });
    } catch (error) {
      this.#log.error({ err: error, entry }, 'an act could not be recorded');
    }
  }

  /** The newest first. */
  async list(limit: number): Promise<readonly AuditEntry[]> {
    const records = await this.#records.list('audit', { limit, isDescending: true });
    return records.map(({ value }) => value as AuditEntry);
  }
}
