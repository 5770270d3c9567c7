import type { Requests } from '../../../protocol/messages.ts';
import { requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Member } from '../member.ts';
import type { UserSession } from '../user-session.ts';

export function handleLeave(hub: Hub, session: UserSession, { req, room }: Requests['leave']): undefined {
  leaveRoom(hub, requireMember(hub, session, room));
  session.ok(req);
  return undefined;
}

/** Takes a member out and tells the others when it was the user's last session there. */
export function leaveRoom(hub: Hub, member: Member): void {
  const { room, session } = member;
  if (room.member(session) !== member) return;
  const isLast = takeOut(hub, member);
  if (isLast) hub.presence.announce(room, { change: 'leave', name: session.user.name, other: null, text: null });
}

/** Takes a member out without a word; true when it was the user's last session there. */
export function takeOut(hub: Hub, member: Member): boolean {
  const isLast = member.room.remove(member);
  hub.rooms.settle(member.room);
  return isLast;
}
