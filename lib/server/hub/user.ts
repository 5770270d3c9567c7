import { BcastError } from '../../errors.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import type { RateLimit } from './rate-limit.ts';
import type { UserSession } from './user-session.ts';

/** A name with an identity, and the sessions that hold it. */
export interface User {
  name: UserName;
  key: NameKey;
  readonly fp: Fingerprint;
  readonly isAdmin: boolean;
  readonly sessions: Set<UserSession>;
  /** Rooms that at least one of the sessions is in. */
  roomCount: number;
  readonly rate: RateLimit;
  away: string | null;
  /** When the first session came; milliseconds since 1970. */
  readonly sinceMs: number;
  /** The last say or tell, on the clock that never jumps. */
  activeMs: number;
}

export interface UsersOptions {
  readonly limits: { readonly maxSessionsPerUser: number };
  readonly newUser: (name: UserName, fp: Fingerprint) => User;
}

/** Everybody who is here, each name once. */
export class Users {
  readonly #byKey = new Map<NameKey, User>();
  readonly #options: UsersOptions;

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byKey.size;
  }

  find(name: UserName): User | undefined {
    return this.#byKey.get(nameKey(name));
  }

  all(): Iterable<User> {
    return this.#byKey.values();
  }

  /** The user that a session with this name and identity belongs to. Throws NAME_IN_USE and TOO_MANY_SESSIONS. */
  claim(name: UserName, fp: Fingerprint): User {
    const present = this.find(name);
    if (present === undefined) {
      const user = this.#options.newUser(name, fp);
      this.#byKey.set(user.key, user);
      return user;
    }
    if (present.fp !== fp) throw inUse(name);
    const { maxSessionsPerUser: most } = this.#options.limits;
    if (present.sessions.size >= most) {
      const text = `${name} is connected ${most === 1 ? 'already' : `${most} times already, which is the most allowed`}.`;
      throw new BcastError('TOO_MANY_SESSIONS', { text });
    }
    return present;
  }

  /** Gives the user another name. Throws NAME_IN_USE. */
  rename(user: User, name: UserName): void {
    const key = nameKey(name);
    if (key !== user.key && this.#byKey.has(key)) throw inUse(name);
    this.#byKey.delete(user.key);
    user.name = name;
    user.key = key;
    this.#byKey.set(key, user);
  }

  /** Frees the name of a user without sessions. */
  release(user: User): void {
    if (user.sessions.size === 0 && this.#byKey.get(user.key) === user) this.#byKey.delete(user.key);
  }
}

function inUse(name: UserName): BcastError {
  return new BcastError('NAME_IN_USE', { text: `The name ${name} is in use by somebody else.` });
}
