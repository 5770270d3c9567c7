import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { plain } from '../announce.ts';
import { checkRows, checkVoice, requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export async function handleTopic(hub: Hub, session: UserSession, request: Requests['topic']): Promise<void> {
  const room = requireRole(hub, session, request, request.room);
  const { topic } = request;
  checkVoice(hub, session, room);
  // What else the room remembers is written with it.
  checkRows(session, room.state.bans.length + room.state.mutes.length);
  await hub.rooms.update(room, (state) => ({ ...state, topic }));
  const event = { type: 'topic', room: room.name, topic, by: session.user.name, ts: hub.clock.nowMs() } as const;
  room.tellAll(event);
  if (!hub.backplane.isAlone) {
    hub.backplane.tellRoom(room.key, { type: 'event', bytes: plain(encodeEvent(event)), isForWatchers: false });
  }
  session.ok(request.req);
}
