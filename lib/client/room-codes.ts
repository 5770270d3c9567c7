import { type NameKey, nameKey, type RoomName } from '../protocol/names.ts';

/** Anybody may send invitations: no more of them than this are kept, the newest. */
const MAX_INVITATIONS = 64;

/**
 * The codes of locked rooms that this client knows. One that it was given by its own side goes before one that came with
 * an invitation, so that nobody can replace a code that works by one that does not.
 */
export class RoomCodes {
  readonly #own = new Map<NameKey, string>();
  readonly #invited = new Map<NameKey, string>();

  /** The code to enter with; null when none is known. */
  of(room: RoomName): string | null {
    const key = nameKey(room);
    return this.#own.get(key) ?? this.#invited.get(key) ?? null;
  }

  /** The room's own server or its user said so. */
  learn(room: RoomName, code: string): void {
    this.#own.set(nameKey(room), code);
  }

  /** Somebody said so. */
  hear(room: RoomName, code: string): void {
    const key = nameKey(room);
    // Deleted first: the newest invitation stands last, and the first is the one to let go.
    this.#invited.delete(key);
    this.#invited.set(key, code);
    const [oldest] = this.#invited.keys();
    if (this.#invited.size > MAX_INVITATIONS && oldest !== undefined) this.#invited.delete(oldest);
  }

  /** The server says that this is not the code. */
  discard(room: RoomName, code: string | null): void {
    const key = nameKey(room);
    for (const known of [this.#own, this.#invited]) if (known.get(key) === code) known.delete(key);
  }
}
