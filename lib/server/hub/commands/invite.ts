import { encodeEvent } from '../../../protocol/codec.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import { plain } from '../announce.ts';
import { checkVoice, noSuchUser, requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Tells every session of a user of a room. The code is the inviter's word: the server does not know it to check. */
export async function handleInvite(hub: Hub, session: UserSession, request: Requests['invite']): Promise<void> {
  const { room } = requireMember(hub, session, request.room);
  checkVoice(hub, session, room);
  const key = nameKey(request.name);
  const here = hub.users.get(key);
  const elsewhere = await hub.backplane.find(key);
  if (here === undefined && elsewhere === null) throw noSuchUser(request.name);
  const event = { type: 'invited', room: room.name, by: session.user.name, code: request.code } as const;
  for (const one of here?.sessions ?? []) one.inform(event);
  hub.backplane.tellAll({ type: 'tell', key, id: null, bytes: plain(encodeEvent(event)) });
  session.ok(request.req);
}
