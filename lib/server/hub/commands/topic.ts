import type { Requests } from '../../../protocol/messages.ts';
import { requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export function handleTopic(hub: Hub, session: UserSession, request: Requests['topic']): undefined {
  const room = requireRole(hub, session, request, request.room);
  room.topic = request.topic;
  const by = session.user.name;
  room.tellAll({ type: 'topic', room: room.name, topic: room.topic, by, ts: hub.clock.nowMs() });
  session.ok(request.req);
  return undefined;
}
