import { BcastError } from '../../errors.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { toUserName, type UserName } from '../../protocol/names.ts';
import type { Records } from './ports.ts';
import { subjectOf, type User } from './user.ts';

/** Somebody whose publications a user hears. */
export interface Following {
  /** Account or identity: names change hands. */
  readonly subject: string;
  /** As it was when the following began. */
  readonly name: UserName;
}

/** Whom one user may follow; also what one list message holds. */
const MAX_FOLLOWED = 500;

/** Who follows whom: kept in the store for each follower, and by the followed for the followers who are here. */
export class Followings {
  readonly #records: Records;
  readonly #followers = new Map<string, Set<User>>();

  constructor(records: Records) {
    this.#records = records;
  }

  /** Whom the store knows this user to follow. */
  async load(subject: string): Promise<readonly Following[]> {
    const record = await this.#records.get('follow', subject);
    return record === null ? [] : parseFollowings(record.value);
  }

  /** The user is here, or has become another subject. */
  enter(user: User, following: readonly Following[]): void {
    this.exit(user);
    user.following = following;
    for (const { subject } of following) {
      const followers = this.#followers.get(subject) ?? new Set();
      this.#followers.set(subject, followers.add(user));
    }
  }

  exit(user: User): void {
    for (const { subject } of user.following) {
      const followers = this.#followers.get(subject);
      followers?.delete(user);
      if (followers?.size === 0) this.#followers.delete(subject);
    }
    user.following = [];
  }

  /** Followers who are here. */
  of(subject: string): Iterable<User> {
    return this.#followers.get(subject) ?? [];
  }

  /** Whom an identity followed, its user follows who has just registered. */
  async keep(user: User, fp: Fingerprint): Promise<void> {
    await this.#save(user, user.following);
    await this.#records.remove('follow', fp);
  }

  /** Throws BAD_REQUEST past the most one may follow. */
  async follow(user: User, followed: Following): Promise<void> {
    const others = user.following.filter(({ subject }) => subject !== followed.subject);
    if (others.length >= MAX_FOLLOWED) {
      throw new BcastError('BAD_REQUEST', { text: `You follow ${MAX_FOLLOWED} already; leave one out first.` });
    }
    await this.#save(user, [...others, followed]);
  }

  async unfollow(user: User, isMeant: (following: Following) => boolean): Promise<void> {
    await this.#save(
      user,
      user.following.filter((following) => !isMeant(following)),
    );
  }

  async #save(user: User, following: readonly Following[]): Promise<void> {
    const subject = subjectOf(user);
    if (following.length > 0) await this.#records.put('follow', subject, following);
    else await this.#records.remove('follow', subject);
    if (user.sessions.size > 0) this.enter(user, following);
  }
}

function parseFollowings(value: unknown): readonly Following[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_FOLLOWED).flatMap((row) => {
    const { subject, name: text } = (row ?? {}) as Record<string, unknown>;
    const name = typeof text === 'string' ? toUserName(text) : null;
    return typeof subject === 'string' && name !== null ? [{ subject, name }] : [];
  });
}
