import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { plain } from '../announce.ts';
import { requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export function handleTyping(hub: Hub, session: UserSession, request: Requests['typing']): undefined {
  const { room } = requireMember(hub, session, request.room);
  const event = { type: 'typing', room: room.name, name: session.user.name } as const;
  room.tellWatchers(event, session.user);
  if (!hub.backplane.isAlone) {
    hub.backplane.tellRoom(room.key, { type: 'event', bytes: plain(encodeEvent(event)), isForWatchers: true });
  }
  session.ok(request.req);
  return undefined;
}
