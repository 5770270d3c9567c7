import { BcastError, toBcastError } from '../../../errors.ts';
import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import { plain } from '../announce.ts';
import { checkBody, checkVoice, noSuchUser } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { User } from '../user.ts';
import type { UserSession } from '../user-session.ts';

/** Delivers to every session of one user, wherever it is, now or not at all. */
export function handleTell(hub: Hub, session: UserSession, request: Requests['tell']): undefined | Promise<void> {
  const { body, req } = request;
  const seenTs = hub.recentTells.get(idOf(session, request));
  if (seenTs !== undefined) {
    session.tell({ type: 'ok', req, seq: null, ts: seenTs });
    return undefined;
  }
  checkBody(hub, body);
  checkVoice(hub, session, null);
  if (!hub.backplane.isAlone) return deliverAnywhere(hub, session, request);
  const recipient = hub.users.find(request.to);
  if (recipient === undefined) throw noSuchUser(request.to);
  deliver(hub, session, request, recipient);
  return undefined;
}

async function deliverAnywhere(hub: Hub, session: UserSession, request: Requests['tell']): Promise<void> {
  const found = await hub.backplane.find(nameKey(request.to)).catch((error: unknown) => {
    const { code, retryAfterMs = 0 } = toBcastError(error);
    // Of other errors the client does not come again.
    if (code === 'UNAVAILABLE') session.held.hold(request.id, retryAfterMs, hub.clock.monotonicMs());
    throw error;
  });
  const here = hub.users.find(request.to);
  const recipient = here ?? found;
  if (recipient === undefined || recipient === null) throw noSuchUser(request.to);
  const bytes = deliver(hub, session, request, { name: recipient.name, sessions: here?.sessions ?? new Set() });
  if (found === null || found.sessions <= (here?.sessions.size ?? 0)) return;
  hub.backplane.tellAll({ type: 'tell', key: found.key, id: idOf(session, request), bytes: plain(bytes) });
}

function deliver(
  hub: Hub,
  session: UserSession,
  request: Requests['tell'],
  recipient: Pick<User, 'name' | 'sessions'>,
): Uint8Array {
  const { id, kind, body, req } = request;
  const { user, fp } = session;
  checkReceiving(recipient);
  user.activeMs = hub.clock.monotonicMs();
  const ts = hub.clock.nowMs();
  const bytes = encodeEvent({ type: 'private', from: user.name, fp, to: recipient.name, kind, ts, id, body });
  for (const { outbox } of recipient.sessions) outbox.send(bytes, 1);
  hub.recentTells.set(idOf(session, request), ts);
  session.tell({ type: 'ok', req, seq: null, ts });
  return bytes;
}

/** Another sender's same id is another message. */
function idOf({ fp }: UserSession, { id }: Requests['tell']): string {
  return `${fp}${id}`;
}

/** Private messages have no history to fetch them from, so none is left out: who cannot take it in is said to. */
function checkReceiving({ name, sessions }: Pick<User, 'name' | 'sessions'>): void {
  if (![...sessions].some(({ outbox }) => outbox.isFull)) return;
  throw new BcastError('NOT_DELIVERED', { text: `${name} does not keep up with reading; try again later.` });
}
