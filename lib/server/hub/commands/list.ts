import type { Requests, RoomRow } from '../../../protocol/messages.ts';
import { type NameKey, nameKey } from '../../../protocol/names.ts';
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

export async function handleRooms(hub: Hub, session: UserSession, { req }: Requests['rooms']): Promise<void> {
  checkRows(session, hub.rooms.size);
  const others = await hub.backplane.rooms();
  const rows = merged(
    hub.rooms.occupied().map((room) => room.row()),
    others,
  );
  rows.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1));
  for (const rooms of pages(rows, ({ room, topic }) => [room, topic])) session.tell({ type: 'rooms', req, rooms });
  session.ok(req);
}

/**
 * Each node counts all members it has heard of. Of a room that has members here what is shown as its members counts, so that
 * both lists agree; of the others the node that has heard of most is right.
 */
function merged(own: readonly RoomRow[], others: readonly RoomRow[]): RoomRow[] {
  const byKey = new Map<NameKey, RoomRow>();
  for (const row of others) {
    const known = byKey.get(nameKey(row.room));
    if (known === undefined || known.members < row.members) byKey.set(nameKey(row.room), row);
  }
  for (const row of own) byKey.set(nameKey(row.room), row);
  return [...byKey.values()];
}
