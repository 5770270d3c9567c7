import type { Requests } from '../../../protocol/messages.ts';
import { requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export function handleTyping(hub: Hub, session: UserSession, request: Requests['typing']): undefined {
  const { room } = requireMember(hub, session, request.room);
  room.tellWatchers({ type: 'typing', room: room.name, name: session.user.name }, session.user);
  session.ok(request.req);
  return undefined;
}
