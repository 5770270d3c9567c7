import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import { checkServerBan } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import { withName } from '../room-state.ts';
import type { UserSession } from '../user-session.ts';

/** Renames the user in all its sessions. */
export async function handleNick(hub: Hub, session: UserSession, { req, name }: Requests['nick']): Promise<void> {
  const { user, address } = session;
  checkServerBan(hub, { nameKey: nameKey(name), fps: user.fps, address });
  hub.users.checkFree(user, name);
  const account = await hub.login.authenticate({ name, fp: session.fp, address, password: null });
  const following = await hub.followings.load(account === null ? user.fp : `@${nameKey(name)}`);
  if (session.isGone) return;
  hub.users.checkFree(user, name);
  const before = user.name;
  hub.users.rename(user, name);
  user.account = account;
  hub.followings.enter(user, following);
  const rooms = new Set<Room>();
  for (const one of user.sessions) {
    one.inform({ type: 'renamed', name });
    for (const [room, member] of one.rooms) {
      member.forgetPrefix();
      rooms.add(room);
    }
  }
  for (const room of rooms) {
    room.become(withName(room.state, name, user.fps), room.version);
    hub.presence.announce(room, { change: 'nick', name: before, other: name, text: null });
  }
  session.ok(req);
}
