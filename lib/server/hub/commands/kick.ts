import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, type UserName } from '../../../protocol/names.ts';
import { announceOther, noteMember } from '../announce.ts';
import { noSuchUser, requireAdmin, requireInRoom, requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { outranks } from '../roles.ts';
import type { Room, Subject } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';
import { takeOut } from './leave.ts';

/** Out of a room, or without one out of the server. The way back stays open; a ban closes it. */
export async function handleKick(hub: Hub, session: UserSession, request: Requests['kick']): Promise<void> {
  const { req, reason, room: name } = request;
  const actor = session.user;
  if (name === null) {
    requireAdmin(session);
    if (nameKey(request.name) === actor.key) throw notAllowed(actor);
    await expelFromNetwork(hub, actor.name, request);
  } else {
    const room = requireRole(hub, session, request, name);
    const subject = requireInRoom(hub, room, request.name);
    checkRank(room, actor, subject);
    hub.log.info({ by: actor.name, user: subject.name, room: room.name, reason }, 'kicked');
    removeFromRoom(hub, room, subject, { removal: 'kick', by: actor.name, reason, untilMs: null });
  }
  await hub.audit.note(actor, 'kick', { user: request.name, room: name, reason });
  session.ok(req);
}

/** Closes every session of the user, on all nodes. Rejects with NO_SUCH_USER. */
export async function expelFromNetwork(
  hub: Hub,
  by: UserName,
  { name, reason }: Pick<Requests['kick'], 'name' | 'reason'>,
): Promise<void> {
  const subject = hub.users.find(name);
  const elsewhere = await hub.backplane.find(nameKey(name));
  if (subject === undefined && elsewhere === null) throw noSuchUser(name);
  hub.log.info({ by, user: name, reason }, 'kicked from the server');
  const text = `You were removed from this server by ${by}${reason === null ? '' : `: ${reason}`}.`;
  if (subject !== undefined) hub.expel(subject, new BcastError('KICKED', { text }));
  hub.backplane.tellAll({ type: 'expelled', key: nameKey(name), text });
}

/** Throws NOT_ALLOWED when the subject is at least as powerful here. */
export function checkRank(room: Room, actor: User, subject: Subject): void {
  if (actor.key === subject.key || !outranks(room.roleOf(actor), room.roleOf(subject))) {
    throw notAllowed(subject);
  }
}

function notAllowed({ name }: Pick<Subject, 'name'>): BcastError {
  return new BcastError('NOT_ALLOWED', { text: `You may not do that to ${name}.` });
}

interface Removal {
  readonly removal: 'kick' | 'ban';
  readonly by: User['name'];
  readonly reason: string | null;
  readonly untilMs: number | null;
}

/** Takes every session of the user out of the room, on all nodes; they and the others are told why. */
export function removeFromRoom(hub: Hub, room: Room, subject: Subject, removal: Removal): void {
  const { by, reason } = removal;
  const here = hub.users.get(subject.key);
  const isHere = here !== undefined && room.has(here);
  if (!isHere && room.remote.find(subject.key) === undefined) return;
  announceOther(hub, room, { change: removal.removal, name: subject.name, other: by, text: reason });
  if (isHere) removeHere(hub, room, here, removal);
  hub.backplane.tellRoom(room.key, { type: 'removed', key: subject.key, ...removal });
}

/** Of that, what concerns this node. */
export function removeHere(hub: Hub, room: Room, user: User, { removal, by, reason, untilMs }: Removal): void {
  for (const member of room.membersOf(user)) {
    member.session.inform({ type: 'removed', room: room.name, removal, by, reason, untilMs });
    takeOut(hub, member);
  }
  noteMember(hub, room, user);
}
