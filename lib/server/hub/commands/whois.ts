import { MAX_LIST_ROWS } from '../../../limits.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import { noSuchUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

export async function handleWhois(hub: Hub, session: UserSession, { req, name }: Requests['whois']): Promise<void> {
  const user = hub.users.find(name);
  if (user === undefined) await tellOfAbsent(hub, session, { req, name });
  else tellOfPresent(hub, session, req, user);
  session.ok(req);
}

/** Somebody who is registered and not here: when he was last. Throws NO_SUCH_USER. */
async function tellOfAbsent(hub: Hub, session: UserSession, { req, name }: Pick<Requests['whois'], 'req' | 'name'>) {
  const account = await hub.accounts.find(nameKey(name));
  const fp = account?.fps[0];
  if (account === null || fp === undefined) throw noSuchUser(name);
  session.tell({
    type: 'user',
    req,
    name: account.name,
    fp,
    role: account.isAdmin ? 'admin' : 'member',
    away: null,
    rooms: [],
    sessions: 0,
    sinceMs: account.seenMs,
    idleMs: Math.max(0, hub.clock.nowMs() - account.seenMs),
    registered: true,
  });
}

function tellOfPresent(hub: Hub, session: UserSession, req: number, user: User): void {
  const rooms = new Set([...user.sessions].flatMap((one) => [...one.rooms.keys()]));
  session.tell({
    type: 'user',
    req,
    name: user.name,
    fp: user.fp,
    role: user.isAdmin ? 'admin' : 'member',
    away: user.away,
    rooms: visibleRooms(session, rooms)
      .slice(0, MAX_LIST_ROWS)
      .map((room) => room.name),
    sessions: user.sessions.size,
    sinceMs: user.sinceMs,
    idleMs: Math.round(hub.clock.monotonicMs() - user.activeMs),
    registered: user.account !== null,
  });
}

/** Who is in a locked room is the business of those who are in it too. */
function visibleRooms({ user, rooms: own }: UserSession, rooms: ReadonlySet<Room>): readonly Room[] {
  return [...rooms].filter((room) => room.state.access === 'open' || own.has(room) || user.isAdmin);
}
