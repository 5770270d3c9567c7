import type { Requests } from '../../../protocol/messages.ts';
import { requireAdmin } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** The line that greets everybody who comes from now on; null: the one that is configured. */
export async function handleMotd(hub: Hub, session: UserSession, { req, text }: Requests['motd']): Promise<void> {
  requireAdmin(session);
  await hub.network.setMotd(text);
  hub.backplane.tellAll({ type: 'network' });
  hub.log.info({ by: session.user.name }, 'motd set');
  await hub.audit.note(session.user, 'motd', {});
  session.ok(req);
}
