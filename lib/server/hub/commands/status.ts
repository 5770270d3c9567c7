import { BcastError } from '../../../errors.ts';
import type { Events, Requests } from '../../../protocol/messages.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Tells somebody who is in no more than anybody else. */
export function handleStatus(hub: Hub, session: UserSession, { req }: Requests['status']): undefined {
  session.tell(publicStatus(hub, req));
  session.ok(req);
  return undefined;
}

/** What anybody may know of this server, also before they have a name. Throws NOT_ALLOWED. */
export function publicStatus({ settings, serverName, uptimeMs, users, rooms }: Hub, req: number): Events['status'] {
  if (settings.publicStatus === 'none') {
    throw new BcastError('NOT_ALLOWED', { text: 'This server keeps its status to itself.' });
  }
  const counts = { uptimeMs, users: users.size, rooms: rooms.occupiedCount };
  const nothing = { uptimeMs: null, users: null, rooms: null };
  return { type: 'status', req, server: serverName, ...(settings.publicStatus === 'full' ? counts : nothing) };
}
