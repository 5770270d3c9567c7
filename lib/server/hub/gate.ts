import { BcastError } from '../../errors.ts';
import { roleNeeded } from '../../protocol/commands.ts';
import type { Request, Role } from '../../protocol/messages.ts';
import { checkNotReserved, nameKey, type RoomName, type UserName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import { type BanSubject, banRefusal } from './bans.ts';
import { slowDown } from './held.ts';
import type { Hub } from './hub.ts';
import type { Member } from './member.ts';
import { atLeast, withArticle } from './roles.ts';
import type { Room, Subject } from './room.ts';
import type { User } from './user.ts';
import type { UserSession } from './user-session.ts';

/** What a request that carries text is charged beside its text, in bytes. */
export const REQUEST_BYTES = 64;

/**
 * What making a room is charged, in bytes: by default a user makes 64 rooms at once and 16 a second for long. Where less
 * may be sent at once, still as many.
 */
const ROOM_BYTES = 65_536;
const ROOMS_AT_ONCE = 64;

/** What a row of a list is charged, in bytes. */
const ROW_BYTES = 32;

/**
 * Refuses with SLOW_DOWN what comes faster than this user may; heartbeats are free. Behind a refused message all others
 * of the session are refused until it comes again: they were sent before the client knew, and must not overtake it.
 */
export function checkRate(hub: Hub, session: UserSession, request: Request): void {
  if (request.type === 'ping') return;
  const isMessage = request.type === 'say' || request.type === 'tell';
  if (isMessage) session.held.check(request.id, hub.clock.monotonicMs());
  const size = 'body' in request ? utf8Length(request.body) : 0;
  const retryAfterMs = session.user.rate.take(size + REQUEST_BYTES);
  if (retryAfterMs === 0) return;
  if (isMessage) session.held.hold(request.id, retryAfterMs, hub.clock.monotonicMs());
  throw slowDown(retryAfterMs);
}

/** Charges for the rows of a list, which is the dearest thing to ask for in a large room. Throws SLOW_DOWN. */
export function checkRows({ user }: UserSession, rows: number): void {
  const retryAfterMs = user.rate.take(rows * ROW_BYTES);
  if (retryAfterMs > 0) throw slowDown(retryAfterMs);
}

/** Charges for a room that is made: each takes space that others may need. Throws SLOW_DOWN. */
export function payRoom({ limits }: Hub, { user }: UserSession): void {
  const retryAfterMs = user.rate.take(Math.min(ROOM_BYTES, limits.byteBurst / ROOMS_AT_ONCE), 0);
  if (retryAfterMs > 0) throw slowDown(retryAfterMs);
}

/** Throws MESSAGE_TOO_LARGE. */
export function checkBody(hub: Hub, body: string): void {
  const { maxBodyBytes } = hub.limits;
  if (body.length * 3 <= maxBodyBytes) return;
  const size = utf8Length(body);
  if (size <= maxBodyBytes) return;
  throw new BcastError('MESSAGE_TOO_LARGE', {
    text: `The message has ${size} bytes; this server takes at most ${maxBodyBytes}.`,
  });
}

/** The session's place in the room. Throws NOT_A_MEMBER. */
export function requireMember(hub: Hub, session: UserSession, name: RoomName): Member {
  const room = hub.rooms.find(name);
  const member = room && session.rooms.get(room);
  if (member === undefined) throw new BcastError('NOT_A_MEMBER', { text: `You are not in the room ${name}.` });
  return member;
}

/** The room, when the request may be made there: the command table says which role it needs. Throws NOT_ALLOWED. */
export function requireRole(hub: Hub, session: UserSession, request: Request, name: RoomName): Room {
  const needed = roleNeeded(request.type) ?? 'member';
  const room = hub.rooms.find(name);
  if (room === undefined) throw new BcastError('NO_SUCH_ROOM', { text: `There is no room ${name}.` });
  if (session.user.isAdmin) return room;
  requireMember(hub, session, name);
  requireRuler(session, room, needed);
  return room;
}

/** Throws NOT_ALLOWED for who has less than that role in the room. */
export function requireRuler({ user }: UserSession, room: Room, needed: Role): void {
  const role = room.roleOf(user);
  if (atLeast(role, needed)) return;
  throw new BcastError('NOT_ALLOWED', {
    text: `Only ${withArticle(needed)} of ${room.name} may do that; you are ${withArticle(role)}.`,
  });
}

/** Throws NOT_ALLOWED for everybody but the network's admins. */
export function requireAdmin({ user }: UserSession): void {
  if (!user.isAdmin) throw new BcastError('NOT_ALLOWED', { text: 'Only an admin of this server may do that.' });
}

/** The user of that name in the room, on this node or another. Throws NO_SUCH_USER. */
export function requireInRoom(hub: Hub, room: Room, name: User['name']): Subject {
  const here = hub.users.find(name);
  if (here !== undefined && room.has(here)) return here;
  const elsewhere = room.remote.find(nameKey(name));
  if (elsewhere !== undefined) return elsewhere;
  throw new BcastError('NO_SUCH_USER', { text: `There is nobody called ${name} in ${room.name}.` });
}

export function noSuchUser(name: User['name']): BcastError {
  return new BcastError('NO_SUCH_USER', { text: `There is nobody called ${name} here.` });
}

/** Throws BANNED for a newcomer who is. */
export function checkServerBan(hub: Hub, subject: BanSubject): void {
  const ban = hub.network.bans.match(subject, hub.clock.nowMs());
  if (ban !== undefined) throw banRefusal('BANNED', ban);
}

/** Throws NAME_INVALID for a user name that is reserved, or longer than this server takes. */
export function checkUserName({ limits }: Hub, name: UserName): void {
  checkNotReserved(name);
  const { maxNameLength } = limits;
  if ([...name].length <= maxNameLength) return;
  throw new BcastError('NAME_INVALID', { text: `A name has at most ${maxNameLength} characters here.` });
}

/** Throws TOO_MANY_ROOMS for a user who may not enter another room; asked before a room is made, too. */
export function checkRoomCount({ limits }: Hub, { roomCount }: User): void {
  const { maxRoomsPerUser } = limits;
  if (roomCount >= maxRoomsPerUser) {
    throw new BcastError('TOO_MANY_ROOMS', { text: `You are in ${maxRoomsPerUser} rooms already; leave one first.` });
  }
}

/** Throws MUTED for who may not speak in the room, or, without one, anywhere on the network. */
export function checkVoice(hub: Hub, { user, address }: UserSession, room: Room | null): void {
  const inRoom = room?.mutes;
  const everywhere = hub.network.mutes;
  if ((inRoom?.isEmpty !== false && everywhere.isEmpty) || user.isAdmin) return;
  const subject = subjectFor(user, address);
  const nowMs = hub.clock.nowMs();
  const mute = inRoom?.match(subject, nowMs) ?? everywhere.match(subject, nowMs);
  if (mute !== undefined) throw banRefusal('MUTED', mute);
}

export function subjectFor({ key, fps }: User, address: string | null): BanSubject {
  return { nameKey: key, fps, address };
}

/** Throws BAD_CODE for a locked room whose code was not given. */
export function checkCode(hub: Hub, session: UserSession, room: Room, code: string | null): void {
  const { codeDigest } = room.state;
  if (codeDigest === null) return;
  hub.guesses.check(room, session);
  if (code !== null && hub.secrets.codeDigest(room.key, code) === codeDigest) {
    hub.guesses.pass(room, session);
    return;
  }
  // Not to know of a code is no guess at it.
  if (code === null) throw new BcastError('BAD_CODE', { text: `The room ${room.name} is locked and needs its code.` });
  hub.guesses.fail(room, session);
  throw new BcastError('BAD_CODE', { text: `That is not the code of ${room.name}.` });
}

/** Throws ROOM_BANNED, ROOM_FULL and TOO_MANY_ROOMS. */
export function checkJoin(hub: Hub, session: UserSession, room: Room): void {
  const { user, address } = session;
  // Who has a role there is not kept out with an address that others have too.
  const isRuler = room.roleOf(user) !== 'member';
  const ban = room.bans.match(subjectFor(user, isRuler ? null : address), hub.clock.nowMs());
  if (ban !== undefined && !user.isAdmin) throw banRefusal('ROOM_BANNED', ban);
  if (!room.has(user)) checkRoomCount(hub, user);
  const { maxMembersPerRoom } = hub.limits;
  if (room.size >= maxMembersPerRoom) {
    throw new BcastError('ROOM_FULL', { text: `The room ${room.name} is full (${maxMembersPerRoom}).` });
  }
}
