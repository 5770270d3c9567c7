import type { UserName } from '../../protocol/names.ts';
import { toUserName } from '../../protocol/names.ts';

/** How far one user has got in a room; both are seqs and never go back. */
export interface Mark {
  readonly name: UserName;
  /** Nothing up to it is missing there. */
  readonly delivered: number;
  /** A person has seen all up to it. */
  readonly read: number;
}

/** Users whose marks a room remembers; whoever has not moved for longest is forgotten first. */
const MAX_MARKS = 3_000;

/** How far the users of one room have got, also those who are away. Saved now and then: a mark is worth no write of its own. */
export class Marks {
  readonly #bySubject = new Map<string, Mark>();
  /** Changed since it was saved. */
  isDirty = false;

  /** False when that moves nothing. `newest` is the last seq there is: nobody has got further. */
  set(subject: string, { name, delivered, read }: Mark, newest: number): boolean {
    const before = this.#bySubject.get(subject);
    const now = {
      name,
      delivered: Math.max(before?.delivered ?? 0, Math.min(delivered, newest)),
      read: Math.max(before?.read ?? 0, Math.min(read, delivered, newest)),
    };
    if (before !== undefined && now.delivered === before.delivered && now.read === before.read) return false;
    this.#bySubject.delete(subject);
    this.#bySubject.set(subject, now);
    this.isDirty = true;
    if (this.#bySubject.size > MAX_MARKS) this.#forgetOldest();
    return true;
  }

  /** Who has got that far, without one's own. */
  at(seq: number, own: string): { readonly delivered: number; readonly readers: readonly UserName[] } {
    let delivered = 0;
    const readers: UserName[] = [];
    for (const [subject, mark] of this.#bySubject) {
      if (subject === own) continue;
      if (mark.delivered >= seq) delivered += 1;
      if (mark.read >= seq) readers.push(mark.name);
    }
    return { delivered, readers };
  }

  has(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  get size(): number {
    return this.#bySubject.size;
  }

  get subjects(): Iterable<string> {
    return this.#bySubject.keys();
  }

  /** As JSON for the store. */
  save(): unknown {
    this.isDirty = false;
    return this.rows();
  }

  /** The same without counting as saved. */
  rows(): unknown {
    return [...this.#bySubject].map(([subject, { name, delivered, read }]) => [subject, name, delivered, read]);
  }

  /** Takes over what `save` gave; rows that are none are left out. */
  load(value: unknown): void {
    if (!Array.isArray(value)) return;
    for (const row of value.slice(-MAX_MARKS)) {
      const [subject, text, delivered, read] = Array.isArray(row) ? row : [];
      const name = typeof text === 'string' ? toUserName(text) : null;
      if (typeof subject !== 'string' || name === null) continue;
      if (!Number.isSafeInteger(delivered) || !Number.isSafeInteger(read)) continue;
      if (!this.#bySubject.has(subject)) this.#bySubject.set(subject, { name, delivered, read });
    }
  }

  #forgetOldest(): void {
    for (const subject of this.#bySubject.keys()) {
      this.#bySubject.delete(subject);
      return;
    }
  }
}
