import type { Requests } from '../../../protocol/messages.ts';
import { requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Whether a room outlives its last member. */
export async function handleRetain(hub: Hub, session: UserSession, request: Requests['retain']): Promise<void> {
  const { on } = request;
  const room = requireRole(hub, session, request, request.room);
  await hub.rooms.update(room, (state) => ({ ...state, isRetained: on }));
  await hub.store.retain(room.key, on);
  hub.log.info({ by: session.user.name, room: room.name, on }, 'room retained');
  await hub.audit.note(session.user, 'retain', { room: room.name, on });
  session.ok(request.req);
}
