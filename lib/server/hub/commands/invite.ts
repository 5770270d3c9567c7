import type { Requests } from '../../../protocol/messages.ts';
import { requireMember, requireUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Tells every session of a user of a room. The code is the inviter's word: the server does not know it to check. */
export function handleInvite(hub: Hub, session: UserSession, request: Requests['invite']): undefined {
  const { room } = requireMember(hub, session, request.room);
  const subject = requireUser(hub, request.name);
  const event = { type: 'invited', room: room.name, by: session.user.name, code: request.code } as const;
  for (const one of subject.sessions) one.inform(event);
  session.ok(request.req);
  return undefined;
}
