import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { requireAdmin, requireRole, requireUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { outranks } from '../roles.ts';
import type { Room } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';
import { takeOut } from './leave.ts';

/** Out of a room, or without one out of the server. The way back stays open; a ban closes it. */
export function handleKick(hub: Hub, session: UserSession, request: Requests['kick']): undefined {
  const { req, reason } = request;
  const actor = session.user;
  if (request.room === null) {
    requireAdmin(session);
    const subject = requireUser(hub, request.name);
    if (subject === actor) throw notAllowed(subject);
    hub.log.info({ by: actor.name, user: subject.name, reason }, 'kicked from the server');
    hub.expel(subject, kickRefusal(actor, reason));
    void hub.audit.note(actor, 'kick', { user: subject.name, room: null, reason });
  } else {
    const room = requireRole(hub, session, request, request.room);
    const subject = requireUser(hub, request.name);
    if (!room.has(subject)) {
      throw new BcastError('NO_SUCH_USER', { text: `${subject.name} is not in ${room.name}.` });
    }
    checkRank(room, actor, subject);
    hub.log.info({ by: actor.name, user: subject.name, room: room.name, reason }, 'kicked');
    removeFromRoom(hub, room, subject, { removal: 'kick', by: actor.name, reason, untilMs: null });
    void hub.audit.note(actor, 'kick', { user: subject.name, room: room.name, reason });
  }
  session.ok(req);
  return undefined;
}

/** Throws NOT_ALLOWED when the subject is at least as powerful here. */
export function checkRank(room: Room, actor: User, subject: User): void {
  if (actor === subject || !outranks(room.roleOf(actor), room.roleOf(subject))) {
    throw notAllowed(subject);
  }
}

function notAllowed({ name }: User): BcastError {
  return new BcastError('NOT_ALLOWED', { text: `You may not do that to ${name}.` });
}

interface Removal {
  readonly removal: 'kick' | 'ban';
  readonly by: User['name'];
  readonly reason: string | null;
  readonly untilMs: number | null;
}

/** Takes every session of the user out of the room; they and the others are told why. */
export function removeFromRoom(hub: Hub, room: Room, subject: User, removal: Removal): void {
  const members = room.membersOf(subject);
  if (members.length === 0) return;
  const { by, reason } = removal;
  const bystanders = { change: removal.removal, name: subject.name, other: by, text: reason } as const;
  hub.presence.announce(room, bystanders);
  for (const member of members) {
    member.session.inform({ type: 'removed', room: room.name, ...removal });
    takeOut(hub, member);
  }
}

function kickRefusal(actor: User, reason: string | null): BcastError {
  return new BcastError('KICKED', {
    text: `You were removed from this server by ${actor.name}${reason === null ? '' : `: ${reason}`}.`,
  });
}
