import type { Requests } from '../../../protocol/messages.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Tells somebody who is in no more than anybody else. */
export function handleStatus(hub: Hub, session: UserSession, { req }: Requests['status']): undefined {
  session.tell(hub.status(req));
  session.ok(req);
  return undefined;
}
