import { BcastError } from '../../errors.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import type { Account } from './accounts.ts';
import type { Following } from './following.ts';
import type { RateLimit } from './rate-limit.ts';
import type { UserSession } from './user-session.ts';

/** A name with an identity, or with the account that has it, and the sessions that hold it. */
export interface User {
  name: UserName;
  key: NameKey;
  /** Of the session that came first. */
  readonly fp: Fingerprint;
  /** Every identity it is known by: what is granted to or laid on one of them counts for all. */
  fps: readonly Fingerprint[];
  /** The name's, when it is registered. */
  account: Account | null;
  isAdmin: boolean;
  readonly sessions: Set<UserSession>;
  /** Rooms that at least one of the sessions is in. */
  roomCount: number;
  readonly rate: RateLimit;
  away: string | null;
  /** Whose publications it hears. */
  following: readonly Following[];
  /** When the first session came; milliseconds since 1970. */
  readonly sinceMs: number;
  /** The last say or tell, on the clock that never jumps. */
  activeMs: number;
}

/** Who somebody is beyond a connection: the account, or without one the identity. */
export function subjectOf({ account, key, fp }: Pick<User, 'account' | 'key' | 'fp'>): string {
  return account === null ? fp : `@${key}`;
}

export interface UsersOptions {
  readonly maxSessionsPerUser: number;
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

  get(key: NameKey): User | undefined {
    return this.#byKey.get(key);
  }

  all(): Iterable<User> {
    return this.#byKey.values();
  }

  /**
   * The user of that name that a session of this identity, which has proven itself for `account`, belongs to; undefined
   * when nobody has the name. Throws NAME_IN_USE and TOO_MANY_SESSIONS.
   */
  claim(name: UserName, fp: Fingerprint, account: Account | null): User | undefined {
    const present = this.find(name);
    if (present === undefined) return undefined;
    // Somebody who came before the name was registered by another keeps it for as long as he stays.
    const isSame = account === null || present.account === null ? present.fps.includes(fp) : true;
    if (!isSame) throw inUse(name);
    const { maxSessionsPerUser: most } = this.#options;
    if (present.sessions.size >= most) {
      const text = `${name} is connected ${most === 1 ? 'already' : `${most} times already, which is the most allowed`}.`;
      throw new BcastError('TOO_MANY_SESSIONS', { text });
    }
    return present;
  }

  add(user: User): void {
    this.#byKey.set(user.key, user);
  }

  /** Throws NAME_IN_USE when somebody else has the name. */
  checkFree(user: User, name: UserName): void {
    const present = this.find(name);
    if (present !== undefined && present !== user) throw inUse(name);
  }

  /** Gives the user another name, which is free. */
  rename(user: User, name: UserName): void {
    this.#byKey.delete(user.key);
    user.name = name;
    user.key = nameKey(name);
    this.#byKey.set(user.key, user);
  }

  /** Frees the name of a user without sessions. */
  release(user: User): void {
    if (user.sessions.size === 0 && this.#byKey.get(user.key) === user) this.#byKey.delete(user.key);
  }
}

function inUse(name: UserName): BcastError {
  return new BcastError('NAME_IN_USE', { text: `The name ${name} is in use by somebody else.` });
}
