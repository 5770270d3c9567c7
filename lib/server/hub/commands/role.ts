import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { announceOther } from '../announce.ts';
import { requireInRoom, requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { MAX_GRANTS, withRole } from '../room-state.ts';
import type { UserSession } from '../user-session.ts';

/** Gives a member of a room another role there. */
export async function handleRole(hub: Hub, session: UserSession, request: Requests['role']): Promise<void> {
  const { req, role } = request;
  const room = requireRole(hub, session, request, request.room);
  const actor = session.user;
  if (role === 'admin') throw new BcastError('BAD_REQUEST', { text: 'Admins are not of a room.' });
  const subject = requireInRoom(hub, room, request.name);
  // An owner may not take the room from another, but may step down.
  if (subject.key !== actor.key && !actor.isAdmin && room.roleOf(subject) === 'owner') {
    throw new BcastError('NOT_ALLOWED', { text: `${subject.name} is an owner of ${room.name} too.` });
  }
  await hub.rooms.update(room, (state) => {
    const changed = withRole(state, subject.name, subject.fps, role);
    if (changed.grants.length <= MAX_GRANTS) return changed;
    throw new BcastError('BAD_REQUEST', { text: `A room has at most ${MAX_GRANTS} keys with a role.` });
  });
  hub.log.info({ by: actor.name, user: subject.name, room: room.name, role }, 'role given');
  await hub.audit.note(actor, 'role', { user: subject.name, room: room.name, role });
  announceOther(hub, room, { change: 'role', name: subject.name, other: actor.name, text: role });
  session.ok(req);
}
