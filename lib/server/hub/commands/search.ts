import type { Requests } from '../../../protocol/messages.ts';
import { checkRows, requireMember } from '../gate.ts';
import { slowDown } from '../held.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';
import { tellPage } from './history.ts';

/** What a search is charged beside what it finds, in rows of a list: it is the dearest thing to ask for. */
const SEARCH_ROWS = 200;

/** When to ask again while too many others search, in milliseconds. */
const RETRY_MS = 1_000;

export async function handleSearch(hub: Hub, session: UserSession, request: Requests['search']): Promise<void> {
  const { req, words, before, limit } = request;
  const { room } = requireMember(hub, session, request.room);
  checkRows(session, SEARCH_ROWS);
  const query = { words: [words], limit, ...(before !== null && { before }) };
  const search = async () => {
    // The turn may have been long in coming.
    requireMember(hub, session, request.room);
    return hub.store.search(room.key, query);
  };
  const { messages, from } = await hub.searches.take(search, () => slowDown(RETRY_MS));
  tellPage(session, req, room.name, messages);
  session.tell({ type: 'searched', req, room: room.name, from });
  session.ok(req);
}
