import type { Requests } from '../../../protocol/messages.ts';
import { announce, describe } from '../announce.ts';
import type { Hub } from '../hub.ts';
import type { Room } from '../room.ts';
import type { UserSession } from '../user-session.ts';

/** A null text means back. */
export function handleAway(hub: Hub, session: UserSession, { req, text }: Requests['away']): undefined {
  const { user } = session;
  user.away = text;
  const rooms = new Set<Room>([...user.sessions].flatMap((one) => [...one.rooms.keys()]));
  const change = text === null ? 'back' : 'away';
  for (const room of rooms) announce(hub, room, { change, name: user.name, other: null, text }, user);
  describe(hub, user);
  session.ok(req);
  return undefined;
}
