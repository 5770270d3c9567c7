import { BcastError } from '../../errors.ts';
import type { NameKey } from '../../protocol/names.ts';
import type { Hub } from './hub.ts';

/** What the hub knows of a room that is in memory, for a store that has forgotten it; undefined for any other. */
export function recall(hub: Hub, key: NameKey) {
  const room = hub.rooms.get(key);
  if (room === undefined) return undefined;
  return { last: room.lastSeq, records: { room: room.state, read: room.marks.rows() } };
}

/**
 * The room was begun anew by another node: what is here is an older one of that name. Whoever is in it is sent to come
 * again, and then sees that the room has started over.
 */
export function startOver(hub: Hub, key: NameKey): void {
  const room = hub.rooms.get(key);
  if (room === undefined) return;
  hub.log.warn({ room: room.name }, 'a room was begun anew elsewhere; its members here have to come again');
  const text = `The room ${room.name} has started over.`;
  for (const { session } of [...room.members]) {
    session.outbox.end(new BcastError('SERVER_SHUTDOWN', { text, retryAfterMs: 0 }));
    hub.exit(session);
  }
  void hub.rooms.drop(room);
}
