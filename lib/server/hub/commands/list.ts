import type { Requests } from '../../../protocol/messages.ts';
import { checkRows, requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { pages } from '../pages.ts';
import type { UserSession } from '../user-session.ts';

export function handleNames(hub: Hub, session: UserSession, { req, room: name }: Requests['names']): undefined {
  const { room } = requireMember(hub, session, name);
  checkRows(session, room.userCount);
  for (const members of pages(room.memberRows(), ({ name, away }) => [name, away])) {
    session.tell({ type: 'members', req, room: room.name, members });
  }
  session.ok(req);
  return undefined;
}

export function handleRooms(hub: Hub, session: UserSession, { req }: Requests['rooms']): undefined {
  checkRows(session, hub.rooms.size);
  const rows = hub.rooms.occupied().map((room) => room.row());
  rows.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1));
  for (const rooms of pages(rows, ({ room, topic }) => [room, topic])) session.tell({ type: 'rooms', req, rooms });
  session.ok(req);
  return undefined;
}
