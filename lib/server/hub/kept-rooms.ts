import { BcastError } from '../../errors.ts';
import type { NameKey } from '../../protocol/names.ts';
import { changeList } from './lists.ts';
import type { Records } from './ports.ts';
import type { UserSession } from './user-session.ts';

/** What fits into one record, however many an operator allows. */
const MAX_LISTED = 4_096;

/**
 * Whose count a room is in that the session keeps: its identity's, and its account's too. So neither another name for the
 * same key nor another key for the same name begins a new count.
 */
export function keepersOf({ user, fp }: UserSession): readonly string[] {
  return user.account === null ? [fp] : [fp, accountKeeper(user.key)];
}

export function accountKeeper(key: NameKey): string {
  return `@${key}`;
}

/** How many rooms somebody keeps, in the store: a kept room stays for good, so nobody may keep rooms without end. */
export class KeptRooms {
  readonly #records: Records;
  readonly #most: () => number;

  constructor(records: Records, most: () => number) {
    this.#records = records;
    this.#most = most;
  }

  /** Counts the room once for each. Rejects with TOO_MANY_ROOMS when one of them has too many; then it counts for none. */
  async note(keepers: readonly string[], room: NameKey): Promise<void> {
    const noted: string[] = [];
    try {
      for (const keeper of keepers) if (await this.#note(keeper, room)) noted.push(keeper);
    } catch (error) {
      await this.drop(noted, room);
      throw error;
    }
  }

  /** Counts it no more. */
  async drop(keepers: readonly string[], room: NameKey): Promise<void> {
    for (const keeper of keepers) {
      await changeList(this.#records, 'kept', keeper, (rooms) => rooms.filter((kept) => kept !== room));
    }
  }

  /** False when it was counted already. */
  async #note(keeper: string, room: NameKey): Promise<boolean> {
    let isNew = true;
    await changeList(this.#records, 'kept', keeper, (rooms) => {
      isNew = !rooms.includes(room);
      if (!isNew) return rooms;
      const most = Math.min(this.#most(), MAX_LISTED);
      if (rooms.length < most) return [...rooms, room];
      const text = `You keep ${most} rooms already; let one of them go first (there: /keep off).`;
      throw new BcastError('TOO_MANY_ROOMS', { text });
    });
    return isNew;
  }
}
