import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, type UserName } from '../../../protocol/names.ts';
import type { Account } from '../accounts.ts';
import { announce, holderOf, noteMember } from '../announce.ts';
import { checkServerBan, checkUserName } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Holder } from '../ports.ts';
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
  await takeName(hub, user, name, { account, isFollowed: false });
  hub.backplane.tellAll({ type: 'renamed', ...before, name });
  session.ok(req);
}

interface Renaming {
  /** The new name's, when it is registered. */
  readonly account: Account | null;
  /** Another node has begun it, and told those that it has members in common with. */
  readonly isFollowed: boolean;
}

/** Gives a user another name on this node. Throws NAME_IN_USE when somebody else has it by now. */
export async function takeName(hub: Hub, user: User, name: UserName, { account, isFollowed }: Renaming): Promise<void> {
  const key = nameKey(name);
  const following = await hub.followings.load(account === null ? user.fp : `@${key}`);
  const oldKey = user.key;
  const claimed = key === oldKey ? [] : await claimForAll(hub, user, name, account);
  try {
    hub.users.checkFree(user, name);
  } catch (error) {
    for (const token of claimed) void hub.backplane.release(key, token);
    throw error;
  }
  // Who left meanwhile has released only the old name.
  for (const token of claimed) {
    if (![...user.sessions].some((one) => one.token === token)) void hub.backplane.release(key, token);
  }
  if (user.sessions.size === 0) return;
  const before = holderOf(user);
  if (user.account !== null && key !== oldKey) void hub.noteSeen(oldKey);
  hub.users.rename(user, name);
  user.account = account;
  // What an account may do goes with its name: without it nobody could take it from who bears another.
  user.isAdmin = hub.isAdmin(account, user.fps);
  hub.followings.enter(user, following);
  if (key === oldKey) void hub.backplane.describe(holderOf(user));
  else for (const one of user.sessions) void hub.backplane.release(oldKey, one.token);
  tellOfName(hub, user, before, isFollowed);
}

/** Claims the name for every session of the user, also for those that come meanwhile; which these are. */
async function claimForAll(hub: Hub, user: User, name: UserName, account: Account | null): Promise<readonly string[]> {
  const { backplane, limits } = hub;
  const key = nameKey(name);
  const holder = holderOf({ ...user, name, key, account });
  const claimed = new Set<string>();
  try {
    for (;;) {
      const next = [...user.sessions].find(({ token }) => !claimed.has(token));
      if (backplane.isAlone || next === undefined) return [...claimed];
      claimed.add(next.token);
      await backplane.claim(holder, next.token, limits.maxSessionsPerUser);
    }
  } catch (error) {
    for (const token of claimed) void backplane.release(key, token);
    throw error;
  }
}

function tellOfName(hub: Hub, user: User, before: Holder, isFollowed: boolean): void {
  const { name, key } = user;
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
    if (key !== before.key) void hub.backplane.setMember(room.key, before, false, null);
    // Who is in the room by way of another node too, that one tells of.
    const isTold = isFollowed && [before.key, key].some((each) => room.remote.find(each) !== undefined);
    if (isTold) noteMember(hub, room, user);
    else announce(hub, room, { change: 'nick', name: before.name, other: name, text: null }, user);
  }
}
