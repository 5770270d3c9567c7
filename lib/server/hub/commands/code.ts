import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { requireRuler } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** A new code in place of the old one. Also from outside: who has lost the code must be able to get in again. */
export async function handleCode(hub: Hub, session: UserSession, { req, room: name }: Requests['code']): Promise<void> {
  const { room } = await hub.rooms.open(name, null);
  try {
    requireRuler(session, room, 'owner');
    if (room.state.access !== 'locked') throw new BcastError('BAD_REQUEST', { text: `${room.name} is not locked.` });
    const code = hub.secrets.newRoomCode();
    const codeDigest = hub.secrets.codeDigest(room.key, code);
    await hub.rooms.update(room, (state) => ({ ...state, codeDigest }));
    hub.log.info({ by: session.user.name, room: room.name }, 'room code rotated');
    await hub.audit.note(session.user, 'code', { room: room.name });
    session.tell({ type: 'code', req, room: room.name, code });
    session.ok(req);
  } finally {
    hub.rooms.release(room);
  }
}
