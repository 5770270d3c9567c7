import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { type RoomName, toUserName, type UserName } from '../../../protocol/names.ts';
import { type Ban, banRefusal, endOf, isMeant, parseTarget } from '../bans.ts';
import { checkRows, requireAdmin, requireRole } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { pages } from '../pages.ts';
import type { Room } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';
import { checkRank, removeFromRoom } from './kick.ts';

/** Bans in one list; more would cost every newcomer too long a look. */
const MAX_BANS = 500;

/** Out, and not in again until the ban has ended: of a room, or without one of the server. */
export function handleBan(hub: Hub, session: UserSession, request: Requests['ban']): undefined {
  const room = scope(hub, session, request);
  const ban = makeBan(hub, session.user.name, request);
  for (const subject of affected(hub, ban)) checkSubject(room, session.user, subject);
  layBan(hub, room, ban);
  session.ok(request.req);
  return undefined;
}

/** Lays a ban on a room, or with null on the server, and takes out whom it is for. Throws BAD_REQUEST when there are too many. */
export function layBan(hub: Hub, room: Room | null, ban: Ban): void {
  const bans = room?.bans ?? hub.bans;
  if (!bans.has(ban.target) && bans.rows(hub.clock.nowMs()).length >= MAX_BANS) {
    throw new BcastError('BAD_REQUEST', { text: `There are ${MAX_BANS} bans already; lift one first.` });
  }
  bans.add(ban);
  const { target, untilMs, reason } = ban;
  hub.log.info({ by: ban.by, target, room: room?.name, untilMs, reason }, 'banned');
  for (const subject of affected(hub, ban)) {
    if (room === null) hub.expel(subject, banRefusal('BANNED', ban));
    else removeFromRoom(hub, room, subject, { removal: 'ban', by: ban.by, reason, untilMs });
  }
}

export function handleUnban(hub: Hub, session: UserSession, request: Requests['unban']): undefined {
  liftBan(hub, scope(hub, session, request), session.user.name, request.target);
  session.ok(request.req);
  return undefined;
}

/** Throws NO_SUCH_USER when there is none. */
export function liftBan(hub: Hub, room: Room | null, by: UserName, target: string): void {
  if (!(room?.bans ?? hub.bans).remove(target)) {
    throw new BcastError('NO_SUCH_USER', { text: 'There is no such ban.' });
  }
  hub.log.info({ by, target, room: room?.name }, 'ban lifted');
}

export function handleBans(hub: Hub, session: UserSession, request: Requests['bans']): undefined {
  const rows = (scope(hub, session, request)?.bans ?? hub.bans).rows(hub.clock.nowMs());
  checkRows(session, rows.length);
  for (const bans of pages(rows, ({ target, by, reason }) => [target, by, reason])) {
    session.tell({ type: 'bans', req: request.req, bans });
  }
  session.ok(request.req);
  return undefined;
}

type BanTerms = Pick<Requests['ban'], 'target' | 'durationMs' | 'reason'>;
type BanRequest = Requests['ban'] | Requests['unban'] | Requests['bans'];

/** The room the request is about, null for the server, when this session may rule there. */
function scope(hub: Hub, session: UserSession, request: BanRequest): Room | null {
  const name: RoomName | null = request.room;
  if (name !== null) return requireRole(hub, session, request, name);
  requireAdmin(session);
  return null;
}

/** Who is here now that the ban is for. */
function affected(hub: Hub, ban: Ban): User[] {
  return [...hub.users.all()].filter(({ key, fp, sessions }) =>
    [...sessions].some(({ address }) => isMeant(ban, { nameKey: key, fp, address })),
  );
}

/** Throws BAD_REQUEST for what is no target. */
export function makeBan(hub: Hub, by: UserName, { target, durationMs, reason }: BanTerms): Ban {
  const meant = parseTarget(target);
  if (meant === null) {
    throw new BcastError('BAD_REQUEST', { text: 'Ban a name, an address or a fingerprint (SHA256:...).' });
  }
  // A name alone is changed in a moment: with it goes the identity of who bears it now.
  const name = meant.nameKey === null ? null : toUserName(target);
  const bearer = name === null ? undefined : hub.users.find(name);
  const untilMs = durationMs === null ? null : endOf(hub.clock.nowMs(), durationMs);
  return { ...meant, fp: bearer?.fp ?? meant.fp, target, by, reason, untilMs };
}

function checkSubject(room: Room | null, actor: User, subject: User): void {
  if (subject === actor) throw new BcastError('NOT_ALLOWED', { text: 'You may not ban yourself.' });
  if (room !== null) checkRank(room, actor, subject);
}
