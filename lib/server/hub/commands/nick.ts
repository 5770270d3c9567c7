import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import { checkServerBan, checkUserName } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { UserSession } from '../user-session.ts';

/** Renames the user in all its sessions. */
export function handleNick(hub: Hub, session: UserSession, { req, name }: Requests['nick']): undefined {
  const { user, address } = session;
  const before = user.name;
  checkUserName(hub, name);
  checkServerBan(hub, { nameKey: nameKey(name), fp: user.fp, address });
  hub.users.rename(user, name);
  const rooms = new Set<Room>();
  for (const one of user.sessions) {
    one.inform({ type: 'renamed', name });
    for (const [room, member] of one.rooms) {
      member.forgetPrefix();
      rooms.add(room);
    }
  }
  for (const room of rooms) {
    if (room.ownerName === before) room.ownerName = name;
    hub.presence.announce(room, { change: 'nick', name: before, other: name, text: null });
  }
  session.ok(req);
  return undefined;
}
