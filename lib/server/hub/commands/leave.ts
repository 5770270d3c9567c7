import type { Requests } from '../../../protocol/messages.ts';
import { announce, noteMember } from '../announce.ts';
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
  if (!isLast) return;
  const change = { change: 'leave', name: session.user.name, other: null, text: null } as const;
  if (room.remote.find(session.user.key) === undefined) announce(hub, room, change, session.user);
  else noteMember(hub, room, session.user);
}

/** Takes a member out without a word; true when it was the user's last session there. */
export function takeOut(hub: Hub, member: Member): boolean {
  const isLast = member.room.remove(member);
  hub.rooms.settle(member.room);
  return isLast;
}
