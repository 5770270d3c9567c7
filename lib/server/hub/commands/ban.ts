import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey, OPERATOR, toUserName, type UserName } from '../../../protocol/names.ts';
import { announceOther } from '../announce.ts';
import { type Ban, type Bans, banRefusal, endOf, isMeant, parseTarget } from '../bans.ts';
import { checkRows, requireAdmin, requireRole, subjectFor } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { pages } from '../pages.ts';
import { outranks } from '../roles.ts';
import type { Room, Subject } from '../room.ts';
import { MAX_BANS } from '../room-state.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';
import { checkRank, removeFromRoom } from './kick.ts';

/** Out and not in again, or silent, until it has ended: in a room, or without one on the server. */
export async function handleBan(hub: Hub, session: UserSession, request: Requests['ban']): Promise<void> {
  const { penalty, req } = request;
  const room = scope(hub, session, request);
  const actor = session.user;
  const ban = await makeBan(hub, actor.name, request);
  const subjects = affected(hub, ban);
  for (const subject of subjects) checkSubject(room, actor, subject);
  const others = room === null ? [] : affectedElsewhere(room, ban);
  for (const subject of others) checkSubject(room, actor, subject);
  if (room !== null) checkAbsent(room, actor, ban);
  await layBan(hub, actor, { room, penalty, ban });
  const { untilMs, reason } = ban;
  for (const subject of [...subjects, ...others]) {
    if (penalty === 'mute') tellOfMute(hub, room, subject, ban);
    else if (room !== null) removeFromRoom(hub, room, subject, { removal: 'ban', by: ban.by, reason, untilMs });
  }
  if (room === null) enforceNetwork(hub);
  session.ok(req);
}

export async function handleUnban(hub: Hub, session: UserSession, request: Requests['unban']): Promise<void> {
  const { penalty, target, req } = request;
  const room = scope(hub, session, request);
  const nowMs = hub.clock.nowMs();
  const list = listOf(hub, room, penalty);
  const before = list.current(nowMs);
  checkNotOwn(session.user, lifted(before, list.without(target, nowMs)));
  await liftBan(hub, session.user, { room, penalty, target });
  if (penalty === 'mute')
    for (const ban of lifted(before, listOf(hub, room, penalty).all)) tellOfVoice(hub, room, session.user, ban);
  session.ok(req);
}

/** Who does it; null: the operator, on the machine itself. */
type Actor = Pick<User, 'name' | 'fp'> | null;

interface Scope {
  readonly room: Room | null;
  readonly penalty: Penalty;
}

/** Lays it and notes who did; whom it is for is not told yet. Rejects with BAD_REQUEST when there are too many. */
export async function layBan(hub: Hub, actor: Actor, { room, penalty, ban }: Scope & { ban: Ban }): Promise<void> {
  await lay(hub, room, penalty, ban);
  const { by, target, untilMs, reason } = ban;
  hub.log.info({ by, target, room: room?.name, untilMs, reason }, penalty === 'ban' ? 'banned' : 'muted');
  await hub.audit.note(actor, penalty, { target, room: room?.name ?? null, untilMs, reason });
}

/** Lifts it and notes who did. Rejects with NO_SUCH_USER when there is none. */
export async function liftBan(
  hub: Hub,
  actor: Actor,
  { room, penalty, target }: Scope & { target: string },
): Promise<void> {
  const nowMs = hub.clock.nowMs();
  if (!listOf(hub, room, penalty).has(target, nowMs)) {
    throw new BcastError('NO_SUCH_USER', { text: `There is no such ${penalty}.` });
  }
  if (room === null) {
    await hub.network.lift(penalty, target);
    hub.backplane.tellAll({ type: 'network' });
  } else {
    await hub.rooms.update(room, (state) => ({
      ...state,
      [fieldOf(penalty)]: listOf(hub, room, penalty).without(target, nowMs),
    }));
  }
  hub.log.info({ by: actor?.name ?? OPERATOR, target, room: room?.name }, `${penalty} lifted`);
  await hub.audit.note(actor, `un${penalty}`, { target, room: room?.name ?? null });
}

export function handleBans(hub: Hub, session: UserSession, request: Requests['bans']): undefined {
  const rows = listOf(hub, scope(hub, session, request), request.penalty).rows(hub.clock.nowMs());
  checkRows(session, rows.length);
  for (const bans of pages(rows, ({ target, by, reason }) => [target, by, reason])) {
    session.tell({ type: 'bans', req: request.req, bans });
  }
  session.ok(request.req);
  return undefined;
}

type BanTerms = Pick<Requests['ban'], 'target' | 'durationMs' | 'reason'>;
type BanRequest = Requests['ban'] | Requests['unban'] | Requests['bans'];
type Penalty = BanRequest['penalty'];

/** The room the request is about, null for the server, when this session may rule there. */
function scope(hub: Hub, session: UserSession, request: BanRequest): Room | null {
  if (request.room !== null) return requireRole(hub, session, request, request.room);
  requireAdmin(session);
  return null;
}

function listOf(hub: Hub, room: Room | null, penalty: Penalty): Bans {
  if (room === null) return hub.network.list(penalty);
  return penalty === 'ban' ? room.bans : room.mutes;
}

function fieldOf(penalty: Penalty): 'bans' | 'mutes' {
  return penalty === 'ban' ? 'bans' : 'mutes';
}

async function lay(hub: Hub, room: Room | null, penalty: Penalty, ban: Ban): Promise<void> {
  const nowMs = hub.clock.nowMs();
  if (room === null) {
    listWith(hub.network.list(penalty), ban, nowMs);
    await hub.network.add(penalty, ban);
    hub.backplane.tellAll({ type: 'network' });
    return;
  }
  await hub.rooms.update(room, (state) => ({
    ...state,
    [fieldOf(penalty)]: listWith(listOf(hub, room, penalty), ban, nowMs),
  }));
}

function listWith(bans: Bans, ban: Ban, nowMs: number): readonly Ban[] {
  const list = bans.with(ban, nowMs);
  if (list.length <= MAX_BANS) return list;
  throw new BcastError('BAD_REQUEST', { text: `There are ${MAX_BANS} of them already; lift one first.` });
}

/** Who is here now that the ban is for. */
function affected(hub: Hub, ban: Ban): User[] {
  return [...hub.users.all()].filter((user) =>
    [...user.sessions].some(({ address }) => isMeant(ban, subjectFor(user, address))),
  );
}

/** Rejects with BAD_REQUEST for what is no target. */
export async function makeBan(hub: Hub, by: UserName, { target, durationMs, reason }: BanTerms): Promise<Ban> {
  const meant = parseTarget(target);
  if (meant === null) {
    throw new BcastError('BAD_REQUEST', {
      text: 'Name a user, an address, a range of addresses (192.0.2.0/24) or a fingerprint (SHA256:...).',
    });
  }
  // A name alone is changed in a moment: with it go the identities of who bears it now.
  const name = meant.nameKey === null ? null : toUserName(target);
  const bearer = name === null ? null : (hub.users.find(name) ?? (await hub.backplane.find(nameKey(name))));
  const untilMs = durationMs === null ? null : endOf(hub.clock.nowMs(), durationMs);
  return { ...meant, fps: bearer?.fps ?? meant.fps, target, by, reason, untilMs };
}

function checkSubject(room: Room | null, actor: User, subject: Subject): void {
  if (subject.key === actor.key) throw new BcastError('NOT_ALLOWED', { text: 'You may not do that to yourself.' });
  if (room !== null) checkRank(room, actor, subject);
}

/** Who has a role is out of reach of equals and lower ones also while away. */
function checkAbsent(room: Room, actor: User, { nameKey: key, fps }: Ban): void {
  for (const { fp, name, role } of room.state.grants) {
    const isMeant = fps.includes(fp) || nameKey(name) === key;
    if (isMeant && !outranks(room.roleOf(actor), role)) {
      throw new BcastError('NOT_ALLOWED', { text: `You may not do that to ${name}.` });
    }
  }
}

/** Whom of the room it is for, among those who are there by way of other nodes; of their addresses those nodes know. */
function affectedElsewhere(room: Room, ban: Ban): readonly Subject[] {
  return [...room.remote.all()].filter(({ key, fps }) => ban.nameKey === key || ban.fps.some((fp) => fps.includes(fp)));
}

/** Closes the sessions here of whoever is banned from the network by now. */
export function enforceNetwork(hub: Hub): void {
  if (hub.network.bans.isEmpty) return;
  for (const user of [...hub.users.all()]) {
    const ban = banOf(hub, user, hub.network.bans);
    if (ban !== undefined && !user.isAdmin) hub.expel(user, banRefusal('BANNED', ban));
  }
}

/** Takes out of the room whoever is here and banned by now; of rank, whoever laid the ban has seen to it. */
export function enforceRoom(hub: Hub, room: Room, before: Bans): void {
  if (room.bans === before || room.bans.isEmpty) return;
  for (const user of [...room.users]) {
    const ban = banOf(hub, user, room.bans);
    if (ban === undefined || room.roleOf(user) !== 'member') continue;
    removeFromRoom(hub, room, user, { removal: 'ban', by: ban.by, reason: ban.reason, untilMs: ban.untilMs });
  }
}

function banOf(hub: Hub, user: User, bans: Bans): Ban | undefined {
  const nowMs = hub.clock.nowMs();
  for (const { address } of user.sessions) {
    const ban = bans.match(subjectFor(user, address), nowMs);
    if (ban !== undefined) return ban;
  }
  return undefined;
}

function tellOfMute(hub: Hub, room: Room | null, subject: Subject, { by, reason }: Ban): void {
  for (const each of roomsOf(hub, room, subject)) {
    announceOther(hub, each, { change: 'mute', name: subject.name, other: by, text: reason });
  }
}

function tellOfVoice(hub: Hub, room: Room | null, actor: User, ban: Ban): void {
  for (const subject of affected(hub, ban)) {
    for (const each of roomsOf(hub, room, subject)) {
      announceOther(hub, each, { change: 'unmute', name: subject.name, other: actor.name, text: null });
    }
  }
}

/** Where others see it; of the network's mutes, where the muted is on this node. */
function roomsOf(hub: Hub, room: Room | null, { key }: Subject): readonly Room[] {
  const user = hub.users.get(key);
  const isThere = (each: Room) => each.remote.find(key) !== undefined || (user !== undefined && each.has(user));
  if (room !== null) return isThere(room) ? [room] : [];
  return [...new Set([...(user?.sessions ?? [])].flatMap((session) => [...session.rooms.keys()]))];
}

function lifted(before: readonly Ban[], after: readonly Ban[]): readonly Ban[] {
  return before.filter((ban) => !after.includes(ban));
}

/** A moderator whom an owner has muted is not the one to lift that. */
function checkNotOwn({ key, fps, isAdmin }: User, bans: readonly Ban[]): void {
  if (isAdmin || !bans.some((ban) => isMeant(ban, { nameKey: key, fps, address: null }))) return;
  throw new BcastError('NOT_ALLOWED', { text: 'Somebody else has to lift what was laid on you.' });
}
