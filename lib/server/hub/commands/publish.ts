import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { plain } from '../announce.ts';
import { checkBody, checkVoice } from '../gate.ts';
import type { Hub } from '../hub.ts';
import { subjectOf } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Delivers to every session of whoever follows the sender and is here; who cannot take it in goes without. */
export function handlePublish(hub: Hub, session: UserSession, request: Requests['publish']): undefined {
  const { id, kind, body, req } = request;
  const { user, fp } = session;
  const key = `${fp}${id}`;
  const seenTs = hub.recentTells.get(key);
  const ts = seenTs ?? hub.clock.nowMs();
  if (seenTs === undefined) {
    checkBody(hub, body);
    checkVoice(hub, session, null);
    user.activeMs = hub.clock.monotonicMs();
    const bytes = encodeEvent({ type: 'published', from: user.name, fp, kind, ts, id, body });
    for (const follower of hub.followings.of(subjectOf(user))) {
      for (const { outbox } of follower.sessions) if (!outbox.isFull) outbox.send(bytes, 1);
    }
    hub.recentTells.set(key, ts);
    hub.backplane.tellAll({ type: 'published', subject: subjectOf(user), id: key, bytes: plain(bytes) });
  }
  session.tell({ type: 'ok', req, seq: null, ts });
  return undefined;
}
