import type { Requests } from '../../../protocol/messages.ts';
import { checkJoin, checkRoomCount } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Enters the room, making it when it is not there. Who is in already is told again where the room stands. */
export async function handleJoin(hub: Hub, session: UserSession, request: Requests['join']): Promise<void> {
  const present = hub.rooms.find(request.room);
  if (present === undefined || !session.rooms.has(present)) checkRoomCount(hub, session);
  const room = await hub.rooms.open(request.room, session.user);
  try {
    const { first } = await hub.rooms.bounds(room);
    if (session.isGone) return;
    enterRoom(hub, session, room, request.watch);
    tellJoined(hub, session, room, request.req, first);
  } finally {
    hub.rooms.release(room);
  }
}

function enterRoom(hub: Hub, session: UserSession, room: Room, isWatching: boolean): void {
  const present = room.member(session);
  if (present !== undefined) {
    room.watch(present, isWatching);
    return;
  }
  checkJoin(hub, session, room);
  const { user } = session;
  const isNewHere = !room.has(user);
  room.add(session, isWatching);
  if (isNewHere) announce(hub, room, user);
}

/** Who comes as more than a member, or is away already, is shown so at once. */
function announce({ presence }: Hub, room: Room, user: User): void {
  const { name, away } = user;
  const role = room.roleOf(user);
  presence.announce(room, { change: 'join', name, other: null, text: role === 'member' ? null : role });
  if (away !== null) presence.announce(room, { change: 'away', name, other: null, text: away });
}

function tellJoined(hub: Hub, session: UserSession, room: Room, req: number, first: number): void {
  session.tell({
    type: 'joined',
    req,
    room: room.name,
    incarnation: room.incarnation,
    // What the members have been sent by now, not what the store has by now: the difference is still to come live.
    last: room.lastSeq,
    first: Math.min(first, room.lastSeq + 1),
    keep: hub.store.keepMessages,
    keepMs: hub.store.keepMs,
    access: 'open',
    code: null,
    role: room.roleOf(session.user),
    owner: room.ownerName,
    members: room.userCount,
    topic: room.topic,
  });
  session.ok(req);
}
