import { MAX_LIST_ROWS } from '../../../limits.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { requireUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

export function handleWhois(hub: Hub, session: UserSession, { req, name }: Requests['whois']): undefined {
  const user = requireUser(hub, name);
  const rooms = new Set([...user.sessions].flatMap((one) => [...one.rooms.keys()]));
  session.tell({
    type: 'user',
    req,
    name: user.name,
    fp: user.fp,
    role: user.isAdmin ? 'admin' : 'member',
    away: user.away,
    rooms: [...rooms].slice(0, MAX_LIST_ROWS).map((room) => room.name),
    sessions: user.sessions.size,
    sinceMs: user.sinceMs,
    idleMs: Math.round(hub.clock.monotonicMs() - user.activeMs),
    registered: false,
  });
  session.ok(req);
  return undefined;
}
