import { MAX_LIST_ROWS } from '../../../limits.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { checkRows, requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import { subjectOf } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** To count so many costs what it costs to send a row of a list. */
const COUNTED_PER_ROW = 4;

/** How far the session's user has got. */
export function handleMark(hub: Hub, session: UserSession, request: Requests['mark']): undefined {
  const { req, delivered, read } = request;
  const { room } = requireMember(hub, session, request.room);
  const { user } = session;
  const subject = subjectOf(user);
  const isNews = room.marks.set(subject, { name: user.name, delivered, read }, room.lastSeq);
  if (isNews) hub.backplane.tellRoom(room.key, { type: 'mark', subject, name: user.name, delivered, read });
  session.ok(req);
  return undefined;
}

/** How far a message has got, among all but who asks. */
export function handleReceipts(hub: Hub, session: UserSession, request: Requests['receipts']): undefined {
  const { req, seq } = request;
  const { room } = requireMember(hub, session, request.room);
  const own = subjectOf(session.user);
  // All are counted, however few are told.
  checkRows(session, Math.ceil((room.marks.size + room.userCount) / COUNTED_PER_ROW));
  const { delivered, readers } = room.marks.at(seq, own);
  checkRows(session, Math.min(readers.length, MAX_LIST_ROWS));
  session.tell({
    type: 'receipts',
    req,
    room: room.name,
    seq,
    members: othersKnown(room, own),
    delivered,
    read: readers.length,
    readers: readers.slice(0, MAX_LIST_ROWS),
  });
  session.ok(req);
  return undefined;
}

/** Who is here, or was and has told how far it got. */
function othersKnown(room: Room, own: string): number {
  const subjects = new Set(room.marks.subjects);
  for (const user of room.users) subjects.add(subjectOf(user));
  for (const { subject } of room.remote.all()) subjects.add(subject);
  subjects.delete(own);
  return subjects.size;
}
