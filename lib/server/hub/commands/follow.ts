import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, type UserName } from '../../../protocol/names.ts';
import type { Following } from '../following.ts';
import { checkRows, noSuchUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { pages } from '../pages.ts';
import { subjectOf } from '../user.ts';
import type { UserSession } from '../user-session.ts';

export async function handleFollow(hub: Hub, session: UserSession, request: Requests['follow']): Promise<void> {
  const { req, name, on } = request;
  const { user } = session;
  if (on) {
    await hub.followings.follow(user, await find(hub, name));
  } else {
    const key = nameKey(name);
    const present = hub.users.find(name);
    const subject = present && subjectOf(present);
    await hub.followings.unfollow(user, (each) => each.subject === subject || nameKey(each.name) === key);
  }
  hub.backplane.tellAll({ type: 'followed', key: user.key });
  session.ok(req);
}

export function handleFollows(_hub: Hub, session: UserSession, { req }: Requests['follows']): undefined {
  const names = session.user.following.map(({ name }) => name);
  checkRows(session, names.length);
  for (const page of pages(names, (name) => [name])) session.tell({ type: 'follows', req, names: page });
  session.ok(req);
  return undefined;
}

/** Somebody who is here, or on another node, or else a registered name. Throws NO_SUCH_USER. */
async function find(hub: Hub, name: UserName): Promise<Following> {
  const present = hub.users.find(name);
  if (present !== undefined) return { subject: subjectOf(present), name: present.name };
  const elsewhere = await hub.backplane.find(nameKey(name));
  if (elsewhere !== null) return { subject: elsewhere.subject, name: elsewhere.name };
  const account = await hub.accounts.find(nameKey(name));
  if (account === null) throw noSuchUser(name);
  return { subject: `@${nameKey(name)}`, name: account.name };
}
