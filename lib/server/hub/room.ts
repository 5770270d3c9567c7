import { encodeEvent } from '../../protocol/codec.ts';
import type { Event, Fingerprint, MemberRow, PresenceChange, Role, RoomRow } from '../../protocol/messages.ts';
import type { NameKey, RoomName, UserName } from '../../protocol/names.ts';
import { Bans } from './bans.ts';
import { Member } from './member.ts';
import type { Bounds } from './ports.ts';
import type { User } from './user.ts';
import type { UserSession } from './user-session.ts';

/** Who is in one place, what it is called and who rules it. What was said there is the store's. */
export class Room {
  readonly name: RoomName;
  readonly key: NameKey;
  /** Whoever entered first, by identity; null for the server's own room. */
  readonly ownerFp: Fingerprint | null;
  ownerName: UserName | null;
  readonly incarnation: string;
  readonly bans = new Bans();
  topic: string | null = null;
  /** The newest seq that went to the members. */
  lastSeq: number;
  /** Joins and messages on their way: while there are any the room stays, though nobody may be in it. */
  holds = 0;
  readonly #members = new Map<UserSession, Member>();
  readonly #watchers = new Set<Member>();
  /** How many sessions each user has here: a person with three windows comes and goes once. */
  readonly #users = new Map<User, number>();
  /** Presence that watchers have not been told yet. */
  changes: PresenceChange[] = [];

  constructor(name: RoomName, key: NameKey, { incarnation, last }: Bounds, owner: User | null) {
    this.name = name;
    this.key = key;
    this.incarnation = incarnation;
    this.lastSeq = last;
    this.ownerFp = owner?.fp ?? null;
    this.ownerName = owner?.name ?? null;
  }

  get size(): number {
    return this.#members.size;
  }

  get isIdle(): boolean {
    return this.#members.size === 0 && this.holds === 0;
  }

  get userCount(): number {
    return this.#users.size;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  get members(): Iterable<Member> {
    return this.#members.values();
  }

  member(session: UserSession): Member | undefined {
    return this.#members.get(session);
  }

  has(user: User): boolean {
    return this.#users.has(user);
  }

  membersOf(user: User): Member[] {
    return [...user.sessions].flatMap((session) => this.#members.get(session) ?? []);
  }

  /** Adds a session that is not in yet. */
  add(session: UserSession, isWatching: boolean): Member {
    const member = new Member(session, this);
    this.#members.set(session, member);
    session.rooms.set(this, member);
    this.watch(member, isWatching);
    const sessions = this.#users.get(session.user) ?? 0;
    this.#users.set(session.user, sessions + 1);
    return member;
  }

  /** Whether the member wants to hear who comes, goes and types. */
  watch(member: Member, isWatching: boolean): void {
    if (isWatching) this.#watchers.add(member);
    else this.#watchers.delete(member);
  }

  /** True when the user has no session left here. */
  remove(member: Member): boolean {
    const { session } = member;
    this.#members.delete(session);
    this.#watchers.delete(member);
    session.rooms.delete(this);
    const sessions = (this.#users.get(session.user) ?? 1) - 1;
    if (sessions > 0) this.#users.set(session.user, sessions);
    else this.#users.delete(session.user);
    return sessions <= 0;
  }

  roleOf(user: User): Role {
    if (user.isAdmin) return 'admin';
    return user.fp === this.ownerFp ? 'owner' : 'member';
  }

  /** To every session here. */
  tellAll(event: Event): void {
    const bytes = encodeEvent(event);
    for (const { session } of this.#members.values()) session.outbox.sendRoom(this.name, bytes, 1);
  }

  /** To the sessions that want to hear who comes, goes and types. */
  tellWatchers(event: Event, except?: User): void {
    if (this.#watchers.size === 0) return;
    const bytes = encodeEvent(event);
    for (const { session } of this.#watchers) {
      if (session.user !== except) session.outbox.sendRoom(this.name, bytes, 1);
    }
  }

  memberRows(): MemberRow[] {
    return [...this.#users.keys()].map((user) => ({ name: user.name, role: this.roleOf(user), away: user.away }));
  }

  row(): RoomRow {
    return { room: this.name, members: this.#users.size, access: 'open', topic: this.topic };
  }
}
