import type { PastMessage, Requests } from '../../../protocol/messages.ts';
import type { RoomName } from '../../../protocol/names.ts';
import { requireMember } from '../gate.ts';
import type { Hub } from '../hub.ts';
import type { PageQuery, StoredMessage } from '../ports.ts';
import type { UserSession } from '../user-session.ts';

/** Bodies in one `history` message, in UTF-16 units: three bytes each at most, and well under MAX_MESSAGE_BYTES. */
const PAGE_BODY_UNITS = 65_536;

/** A page of what was said; a `gap` first when what was asked for is no longer kept. */
export async function handleHistory(hub: Hub, session: UserSession, request: Requests['history']): Promise<void> {
  const { req, after } = request;
  const { room } = requireMember(hub, session, request.room);
  const page = await hub.store.read(room.key, queryOf(request));
  // Asked after the page was read: what history lost in between is missing in the page too, and must be said.
  const { first } = await hub.rooms.bounds(room);
  const firstThere = Math.min(first, page[0]?.seq ?? first, request.before ?? first);
  if (after !== null && after + 1 < firstThere) {
    session.tell({ type: 'gap', req, room: room.name, first: after + 1, last: firstThere - 1 });
  }
  tellPage(session, req, room.name, page);
  session.ok(req);
}

function queryOf({ after, before, sinceMs, limit }: Requests['history']): PageQuery {
  return {
    limit,
    ...(after === null ? {} : { after }),
    ...(before === null ? {} : { before }),
    ...(sinceMs === null ? {} : { sinceMs }),
  };
}

/** In as many messages as it takes. */
export function tellPage(session: UserSession, req: number, room: RoomName, messages: readonly StoredMessage[]): void {
  let batch: PastMessage[] = [];
  let units = 0;
  const flush = () => {
    if (batch.length > 0) session.tell({ type: 'history', req, room, messages: batch });
    batch = [];
    units = 0;
  };
  for (const message of messages) {
    if (units + message.body.length > PAGE_BODY_UNITS) flush();
    batch.push(message);
    units += message.body.length;
  }
  flush();
}
