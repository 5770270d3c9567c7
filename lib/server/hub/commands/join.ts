import type { Requests } from '../../../protocol/messages.ts';
import { checkJoin } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { UserSession } from '../user-session.ts';

/** Enters the room, making it when it is not there. Who is in already is told again where the room stands. */
export async function handleJoin(hub: Hub, session: UserSession, request: Requests['join']): Promise<void> {
  const { req } = request;
  const { user } = session;
  const room = await hub.rooms.open(request.room, user);
  const { first } = await hub.rooms.bounds(room);
  try {
    enterRoom(hub, session, room, request.watch);
  } finally {
    // Refused or gone meanwhile: a room that was made for nobody goes again.
    hub.rooms.release(room);
  }
  session.tell({
    type: 'joined',
    req,
    room: room.name,
    incarnation: room.incarnation,
    // What the members have been sent by now, not what the store has by now: the difference is still to come live.
    last: room.lastSeq,
    first: Math.min(first, room.lastSeq + 1),
    keep: hub.store.keepMessages,
    role: room.roleOf(user),
    owner: room.ownerName,
    members: room.userCount,
    topic: room.topic,
  });
  session.ok(req);
}

function enterRoom(hub: Hub, session: UserSession, room: Room, isWatching: boolean): void {
  if (session.isGone || room.member(session) !== undefined) return;
  checkJoin(hub, session, room);
  const { user } = session;
  const isNewHere = !room.has(user);
  room.add(session, isWatching);
  hub.rooms.keep(room);
  if (isNewHere) hub.presence.announce(room, { change: 'join', name: user.name, other: null, text: null });
}
