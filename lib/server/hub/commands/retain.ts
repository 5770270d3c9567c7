import type { Requests } from '../../../protocol/messages.ts';
import { requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { keepersOf } from '../kept-rooms.ts';
import type { Room } from '../room.ts';
import type { UserSession } from '../user-session.ts';

/** Whether a room outlives its last member. */
export async function handleRetain(hub: Hub, session: UserSession, request: Requests['retain']): Promise<void> {
  const { on } = request;
  const room = requireRole(hub, session, request, request.room);
  if (on) await keep(hub, session, room);
  else await setKept(hub, room, { isRetained: false, keptBy: [] });
  await hub.store.retain(room.key, on);
  hub.log.info({ by: session.user.name, room: room.name, on }, 'room retained');
  await hub.audit.note(session.user, 'retain', { room: room.name, on });
  session.ok(request.req);
}

/** It counts for who kept it last, but for nobody once an admin keeps it. Rejects with TOO_MANY_ROOMS. */
async function keep(hub: Hub, session: UserSession, room: Room): Promise<void> {
  const { isRetained, keptBy } = room.state;
  if (session.user.isAdmin) return setKept(hub, room, { isRetained: true, keptBy: [] });
  if (isRetained && keptBy.length === 0) return;
  const keepers = keepersOf(session);
  await hub.keptRooms.note(keepers, room.key);
  try {
    await setKept(hub, room, { isRetained: true, keptBy: keepers });
  } catch (error) {
    await hub.keptRooms.drop(keepers, room.key);
    throw error;
  }
}

async function setKept(hub: Hub, room: Room, kept: Pick<Room['state'], 'isRetained' | 'keptBy'>): Promise<void> {
  let before: readonly string[] = [];
  await hub.rooms.update(room, (state) => {
    before = state.keptBy;
    return { ...state, ...kept };
  });
  const gone = before.filter((keeper) => !kept.keptBy.includes(keeper));
  await hub.keptRooms.drop(gone, room.key);
}
