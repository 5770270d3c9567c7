import { BcastError } from '../../errors.ts';
import type { Request, Requests } from '../../protocol/messages.ts';
import { handleAway } from './commands/away.ts';
import { handleBan, handleBans, handleUnban } from './commands/ban.ts';
import { handleHistory } from './commands/history.ts';
import { handleJoin } from './commands/join.ts';
import { handleKick } from './commands/kick.ts';
import { handleLater } from './commands/later.ts';
import { handleLeave } from './commands/leave.ts';
import { handleNames, handleRooms } from './commands/list.ts';
import { handleNick } from './commands/nick.ts';
import { handleSay } from './commands/say.ts';
import { handleTell } from './commands/tell.ts';
import { handleTopic } from './commands/topic.ts';
import { handleTyping } from './commands/typing.ts';
import { handleWhois } from './commands/whois.ts';
import type { Hub } from './hub.ts';
import type { UserSession } from './user-session.ts';

/** Answers one request with `ok`, or throws what becomes its `error`. */
export type Handler<R extends Request> = (hub: Hub, session: UserSession, request: R) => undefined | Promise<void>;

/** Who answers what. */
export const HANDLERS: { readonly [T in Request['type']]: Handler<Requests[T]> } = {
  hello: () => {
    throw new BcastError('BAD_REQUEST', { text: 'You have said hello already.' });
  },
  ping: (_hub, session, { req }) => {
    session.ok(req);
    return undefined;
  },
  join: handleJoin,
  leave: handleLeave,
  say: handleSay,
  tell: handleTell,
  nick: handleNick,
  topic: handleTopic,
  away: handleAway,
  typing: handleTyping,
  names: handleNames,
  rooms: handleRooms,
  whois: handleWhois,
  history: handleHistory,
  kick: handleKick,
  ban: handleBan,
  unban: handleUnban,
  bans: handleBans,
  code: handleLater,
  role: handleLater,
  register: handleLater,
  unregister: handleLater,
  retain: handleLater,
  motd: handleLater,
  invite: handleLater,
  follow: handleLater,
  follows: handleLater,
  publish: handleLater,
  mark: handleLater,
  receipts: handleLater,
  search: handleLater,
};
