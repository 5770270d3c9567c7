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

/** Tries of a change that other sessions make at the same time. */
const MAX_TRIES = 10;

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
    await this.#change(user, () => user.following);
    await this.#records.remove('follow', fp);
  }

  /** Another node has changed whom the user follows. */
  async refresh(user: User): Promise<void> {
    const subject = subjectOf(user);
    const following = await this.load(subject);
    if (user.sessions.size > 0 && subjectOf(user) === subject) this.enter(user, following);
  }

  /** Throws BAD_REQUEST past the most one may follow. */
  async follow(user: User, followed: Following): Promise<void> {
    await this.#change(user, (following) => {
      const others = following.filter(({ subject }) => subject !== followed.subject);
      if (others.length < MAX_FOLLOWED) return [...others, followed];
      throw new BcastError('BAD_REQUEST', { text: `You follow ${MAX_FOLLOWED} already; leave one out first.` });
    });
  }

  async unfollow(user: User, isMeant: (following: Following) => boolean): Promise<void> {
    await this.#change(user, (following) => following.filter((each) => !isMeant(each)));
  }

  /** The user's sessions on other nodes change the same record. */
  async #change(user: User, change: (following: readonly Following[]) => readonly Following[]): Promise<void> {
    const subject = subjectOf(user);
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const record = await this.#records.get('follow', subject);
      const following = change(record === null ? user.following : parseFollowings(record.value));
      if (!(await this.#write(subject, following, record?.version ?? 0))) continue;
      if (user.sessions.size > 0) this.enter(user, following);
      return;
    }
    throw new BcastError('INTERNAL', { cause: new Error('whom somebody follows is changed without end') });
  }

  /** False when there is something else than that version by now. */
  async #write(subject: string, following: readonly Following[], over: number): Promise<boolean> {
    if (following.length > 0) return (await this.#records.put('follow', subject, following, { over })) !== null;
    return over === 0 || this.#records.remove('follow', subject, over);
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
