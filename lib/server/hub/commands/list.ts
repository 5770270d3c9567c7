import { MAX_LIST_ROWS } from '../../../limits.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export function handleNames(hub: Hub, session: UserSession, { req, room: name }: Requests['names']): undefined {
  const { room } = requireMember(hub, session, name);
  for (const members of chunks(room.memberRows())) session.tell({ type: 'members', req, room: room.name, members });
  session.ok(req);
  return undefined;
}

export function handleRooms(hub: Hub, session: UserSession, { req }: Requests['rooms']): undefined {
  const rows = hub.rooms.occupied().map((room) => room.row());
  rows.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1));
  for (const rooms of chunks(rows)) session.tell({ type: 'rooms', req, rooms });
  session.ok(req);
  return undefined;
}

function* chunks<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < rows.length; start += MAX_LIST_ROWS) yield rows.slice(start, start + MAX_LIST_ROWS);
}
