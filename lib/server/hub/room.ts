import { encodeEvent } from '../../protocol/codec.ts';
import type { Event, Fingerprint, MemberRow, PresenceChange, Role, RoomRow } from '../../protocol/messages.ts';
import type { NameKey, RoomName } from '../../protocol/names.ts';
import { Bans } from './bans.ts';
import { Marks } from './marks.ts';
import { Member } from './member.ts';
import type { Bounds, Holder } from './ports.ts';
import { RemoteMembers } from './remote-members.ts';
import { grantedRole, type RoomState } from './room-state.ts';
import type { User } from './user.ts';
import type { UserSession } from './user-session.ts';

/** Somebody here or on another node, as far as rank goes. */
export type Subject = Pick<Holder, 'key' | 'name' | 'fps' | 'isAdmin'>;

/** Who is in one place, what it is called and who rules it. What was said there is the store's. */
export class Room {
  readonly name: RoomName;
  readonly key: NameKey;
  readonly incarnation: string;
  /** Where it was made from, as limits by address count that; null when it came from the store. */
  origin: string | null = null;
  /** How far its members have got. */
  readonly marks = new Marks();
  /** Who is in it by way of other nodes. */
  readonly remote = new RemoteMembers();
  /** Identities that have been let in since the room is in memory: they are not guessing. */
  readonly known = new Set<Fingerprint>();
  /** The newest seq that went to the members. */
  lastSeq: number;
  /** Joins and messages on their way: while there are any the room stays, though nobody may be in it. */
  holds = 0;
  /** When it was first found empty, on the clock that never jumps; null while somebody is in it. */
  emptySinceMs: number | null = null;
  readonly #members = new Map<UserSession, Member>();
  readonly #watchers = new Set<Member>();
  /** How many sessions each user has here: a person with three windows comes and goes once. */
  readonly #users = new Map<User, number>();
  /** Presence that watchers have not been told yet. */
  changes: PresenceChange[] = [];

  #state: RoomState;
  #version: number;
  #bans: Bans;
  #mutes: Bans;

  constructor(key: NameKey, { incarnation, last }: Bounds, state: RoomState, version: number) {
    this.name = state.name;
    this.key = key;
    this.incarnation = incarnation;
    this.lastSeq = last;
    this.#state = state;
    this.#version = version;
    this.#bans = new Bans(state.bans);
    this.#mutes = new Bans(state.mutes);
  }

  get state(): RoomState {
    return this.#state;
  }

  /** Of the state in the store. */
  get version(): number {
    return this.#version;
  }

  get bans(): Bans {
    return this.#bans;
  }

  get mutes(): Bans {
    return this.#mutes;
  }

  /** What the store has of it now. */
  become(state: RoomState, version: number): void {
    if (state.bans !== this.#state.bans) this.#bans = new Bans(state.bans);
    if (state.mutes !== this.#state.mutes) this.#mutes = new Bans(state.mutes);
    this.#state = state;
    this.#version = version;
  }

  get size(): number {
    return this.#members.size;
  }

  get isIdle(): boolean {
    return this.#members.size === 0 && this.holds === 0;
  }

  /** On all nodes. */
  get userCount(): number {
    if (this.remote.isEmpty) return this.#users.size;
    return new Set([...this.#users.keys(), ...this.remote.all()].map(({ key }) => key)).size;
  }

  get users(): Iterable<User> {
    return this.#users.keys();
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
    this.emptySinceMs = null;
    session.rooms.set(this, member);
    this.watch(member, isWatching);
    const sessions = this.#users.get(session.user) ?? 0;
    this.#users.set(session.user, sessions + 1);
    if (sessions === 0) session.user.roomCount += 1;
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
    if (sessions > 0) {
      this.#users.set(session.user, sessions);
      return false;
    }
    this.#users.delete(session.user);
    session.user.roomCount -= 1;
    return true;
  }

  roleOf(user: Subject): Role {
    if (user.isAdmin) return 'admin';
    return grantedRole(this.#state, user.fps);
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
    const users = new Map([...this.remote.all(), ...this.#users.keys()].map((user) => [user.key, user]));
    return [...users.values()].map((user) => ({ name: user.name, role: this.roleOf(user), away: user.away }));
  }

  row(): RoomRow {
    const { access, topic } = this.#state;
    return { room: this.name, members: this.userCount, access, topic: access === 'open' ? topic : null };
  }
}
