import { BcastError } from '../../../errors.ts';
import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { checkBody, requireUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Delivers to every session of one user, now or not at all. */
export function handleTell(hub: Hub, session: UserSession, request: Requests['tell']): undefined {
  const { id, kind, body, req } = request;
  const { user } = session;
  const key = `${session.fp}${id}`;
  const seenTs = hub.recentTells.get(key);
  const ts = seenTs ?? hub.clock.nowMs();
  if (seenTs === undefined) {
    checkBody(hub, body);
    const recipient = requireUser(hub, request.to);
    checkReceiving(recipient);
    user.activeMs = hub.clock.monotonicMs();
    const bytes = encodeEvent({
      type: 'private',
      from: user.name,
      fp: session.fp,
      to: recipient.name,
      kind,
      ts,
      id,
      body,
    });
    for (const { outbox } of recipient.sessions) outbox.send(bytes, 1);
    hub.recentTells.set(key, ts);
  }
  session.tell({ type: 'ok', req, seq: null, ts });
  return undefined;
}

/** Private messages have no history to fetch them from, so none is left out: who cannot take it in is said to. */
function checkReceiving({ name, sessions }: User): void {
  if (![...sessions].some(({ outbox }) => outbox.isFull)) return;
  throw new BcastError('NOT_DELIVERED', { text: `${name} does not keep up with reading; try again later.` });
}
