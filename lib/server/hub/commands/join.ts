import type { Requests } from '../../../protocol/messages.ts';
import { announce, noteMember } from '../announce.ts';
import { checkCode, checkJoin, checkRoomCount, payRoom } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { Opened } from '../room-source.ts';
import { ownerOf } from '../room-state.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Enters the room, making it when it is not there. Who is in already is told again where the room stands. */
export async function handleJoin(hub: Hub, session: UserSession, request: Requests['join']): Promise<void> {
  const present = hub.rooms.find(request.room);
  if (present?.has(session.user) !== true) checkRoomCount(hub, session.user);
  const { user, fp, address } = session;
  const pay = () => payRoom(hub, session);
  const opened = await hub.rooms.open(request.room, { user, fp, address, create: request.create, pay });
  const { room } = opened;
  try {
    const { first } = await hub.rooms.bounds(room);
    if (session.isGone) return;
    enterRoom(hub, session, opened, request);
    tellJoined(hub, session, opened, { req: request.req, first });
  } finally {
    hub.rooms.release(room);
  }
}

function enterRoom(hub: Hub, session: UserSession, { room, made }: Opened, request: Requests['join']): void {
  const { watch, code } = request;
  const present = room.member(session);
  if (present !== undefined) {
    room.watch(present, watch);
    return;
  }
  checkJoin(hub, session, room);
  if (made === null) checkCode(hub, session, room, code);
  const { user } = session;
  const isNewHere = !room.has(user);
  room.add(session, watch);
  if (!isNewHere) return;
  if (room.remote.find(user.key) === undefined) announceJoin(hub, room, user);
  else noteMember(hub, room, user);
}

/** Who comes as more than a member, or is away already, is shown so at once. */
function announceJoin(hub: Hub, room: Room, user: User): void {
  const { name, away } = user;
  const role = room.roleOf(user);
  announce(hub, room, { change: 'join', name, other: null, text: role === 'member' ? null : role }, user);
  if (away !== null) announce(hub, room, { change: 'away', name, other: null, text: away }, user);
}

interface Standing {
  readonly req: number;
  readonly first: number;
}

function tellJoined(hub: Hub, session: UserSession, { room, made }: Opened, { req, first }: Standing): void {
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
    access: room.state.access,
    code: made?.code ?? null,
    role: room.roleOf(session.user),
    owner: ownerOf(room.state),
    members: room.userCount,
    topic: room.state.topic,
  });
  session.ok(req);
}
