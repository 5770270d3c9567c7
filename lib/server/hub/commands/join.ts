import type { Requests } from '../../../protocol/messages.ts';
import { announce, noteMember } from '../announce.ts';
import { checkCode, checkJoin, checkRoomCount } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { ownerOf } from '../room-state.ts';
import type { Opened } from '../rooms.ts';
import type { UserSession } from '../user-session.ts';

/** Enters the room, making it when it is not there. Who is in already is told again where the room stands. */
export async function handleJoin(hub: Hub, session: UserSession, request: Requests['join']): Promise<void> {
  const present = hub.rooms.find(request.room);
  if (present === undefined || !session.rooms.has(present)) checkRoomCount(hub, session);
  const opened = await hub.rooms.open(request.room, { user: session.user, fp: session.fp, create: request.create });
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
  const change = { change: 'join', name: user.name, other: null, text: null } as const;
  if (room.remote.find(user.key) === undefined) announce(hub, room, change, user);
  else noteMember(hub, room, user);
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
