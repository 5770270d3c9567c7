import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, type UserName } from '../../../protocol/names.ts';
import type { Account } from '../accounts.ts';
import { announce, holderOf } from '../announce.ts';
import { checkServerBan, checkUserName } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import { withName } from '../room-state.ts';
import { subjectOf, type User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Renames the user in all its sessions. */
export async function handleNick(hub: Hub, session: UserSession, { req, name }: Requests['nick']): Promise<void> {
  const { user, fp, address } = session;
  checkUserName(hub, name);
  checkServerBan(hub, { nameKey: nameKey(name), fps: user.fps, address });
  hub.users.checkFree(user, name);
  const account = await hub.login.authenticate({ name, fp, address, password: null });
  const before = { key: user.key, subject: subjectOf(user) };
  await takeName(hub, user, name, account);
  hub.backplane.tellAll({ type: 'renamed', ...before, name });
  session.ok(req);
}

/** Gives a user another name on this node. Throws NAME_IN_USE when somebody else has it by now. */
export async function takeName(hub: Hub, user: User, name: UserName, account: Account | null = null): Promise<void> {
  const key = nameKey(name);
  const following = await hub.followings.load(account === null ? user.fp : `@${key}`);
  const oldKey = user.key;
  if (key !== oldKey) await claimForAll(hub, user, name, account);
  hub.users.checkFree(user, name);
  if (user.sessions.size === 0) return;
  const before = user.name;
  hub.users.rename(user, name);
  user.account = account;
  hub.followings.enter(user, following);
  for (const one of user.sessions) if (key !== oldKey) void hub.backplane.release(oldKey, one.token);
  tellOfName(hub, user, before);
}

async function claimForAll(hub: Hub, user: User, name: UserName, account: Account | null): Promise<void> {
  if (hub.backplane.isAlone) return;
  const key = nameKey(name);
  const holder = holderOf({ ...user, name, key, account });
  const { maxSessionsPerUser } = hub.limits;
  await Promise.all([...user.sessions].map(({ token }) => hub.backplane.claim(holder, token, maxSessionsPerUser)));
}

function tellOfName(hub: Hub, user: User, before: UserName): void {
  const { name } = user;
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
    announce(hub, room, { change: 'nick', name: before, other: name, text: null }, user);
  }
}
