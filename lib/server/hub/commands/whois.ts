import { MAX_LIST_ROWS } from '../../../limits.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, type RoomName } from '../../../protocol/names.ts';
import { noSuchUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { FoundHolder } from '../ports.ts';
import type { Room } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

export async function handleWhois(hub: Hub, session: UserSession, { req, name }: Requests['whois']): Promise<void> {
  const user = hub.users.find(name);
  const holder = await hub.backplane.find(nameKey(name));
  if (user !== undefined) tellOfPresent(hub, session, { req, user, sessions: holder?.sessions ?? user.sessions.size });
  else if (holder !== null) tellOfRemote(hub, session, req, holder);
  else await tellOfAbsent(hub, session, { req, name });
  session.ok(req);
}

/** Somebody on another node: of the rooms that node alone knows all; how long he has been silent, only that node knows. */
function tellOfRemote(hub: Hub, session: UserSession, req: number, holder: FoundHolder): void {
  const { key, name, fps, isAdmin, away, sessions, sinceMs, isRegistered } = holder;
  const rooms = [...hub.rooms.all()].filter((room) => room.remote.find(key) !== undefined);
  session.tell({
    type: 'user',
    req,
    name,
    fp: fps[0] as string,
    role: isAdmin ? 'admin' : 'member',
    away,
    rooms: namesOf(visibleRooms(session, new Set(rooms))),
    sessions,
    sinceMs,
    idleMs: null,
    registered: isRegistered,
  });
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

interface Present {
  readonly req: number;
  readonly user: User;
  /** On all nodes. */
  readonly sessions: number;
}

function tellOfPresent(hub: Hub, session: UserSession, { req, user, sessions }: Present): void {
  const isHereAlone = sessions <= user.sessions.size;
  const rooms = new Set([...user.sessions].flatMap((one) => [...one.rooms.keys()]));
  session.tell({
    type: 'user',
    req,
    name: user.name,
    fp: user.fp,
    role: user.isAdmin ? 'admin' : 'member',
    away: user.away,
    rooms: namesOf(visibleRooms(session, rooms)),
    sessions,
    sinceMs: user.sinceMs,
    idleMs: isHereAlone ? Math.round(hub.clock.monotonicMs() - user.activeMs) : null,
    registered: user.account !== null,
  });
}

function namesOf(rooms: readonly Room[]): readonly RoomName[] {
  return rooms.slice(0, MAX_LIST_ROWS).map((room) => room.name);
}

/** Who is in a locked room is the business of those who are in it too. */
function visibleRooms({ user, rooms: own }: UserSession, rooms: ReadonlySet<Room>): readonly Room[] {
  return [...rooms].filter((room) => room.state.access === 'open' || own.has(room) || user.isAdmin);
}
