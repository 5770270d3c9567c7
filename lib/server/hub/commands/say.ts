import type { Requests } from '../../../protocol/messages.ts';
import { checkBody, checkVoice, requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Gives the message to the publisher, which answers when it is stored. */
export function handleSay(hub: Hub, session: UserSession, request: Requests['say']): undefined {
  const { held, room, prefix } = requireMember(hub, session, request.room);
  const { id, again, kind, body, req } = request;
  held.check(id, hub.clock.monotonicMs());
  checkBody(hub, body);
  checkVoice(hub, session, room);
  const { user } = session;
  user.activeMs = hub.clock.monotonicMs();
  const draft = {
    room: room.key,
    id,
    isAgain: again,
    from: user.name,
    fp: session.fp,
    kind,
    body,
    ts: hub.clock.nowMs(),
  };
  hub.publisher.publish({ draft, room, sender: session, req, prefix });
  return undefined;
}
