import { BcastError } from '../../errors.ts';
import type { Request, Requests } from '../../protocol/messages.ts';
import { handleAway } from './commands/away.ts';
import { handleBan, handleBans, handleUnban } from './commands/ban.ts';
import { handleCode } from './commands/code.ts';
import { handleFollow, handleFollows } from './commands/follow.ts';
import { handleHistory } from './commands/history.ts';
import { handleInvite } from './commands/invite.ts';
import { handleJoin } from './commands/join.ts';
import { handleKick } from './commands/kick.ts';
import { handleLeave } from './commands/leave.ts';
import { handleNames, handleRooms } from './commands/list.ts';
import { handleMark, handleReceipts } from './commands/mark.ts';
import { handleMotd } from './commands/motd.ts';
import { handleNick } from './commands/nick.ts';
import { handlePublish } from './commands/publish.ts';
import { handleRegister, handleUnregister } from './commands/register.ts';
import { handleRetain } from './commands/retain.ts';
import { handleRole } from './commands/role.ts';
import { handleSay } from './commands/say.ts';
import { handleSearch } from './commands/search.ts';
import { handleStatus } from './commands/status.ts';
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
  status: handleStatus,
  code: handleCode,
  role: handleRole,
  register: handleRegister,
  unregister: handleUnregister,
  retain: handleRetain,
  motd: handleMotd,
  invite: handleInvite,
  follow: handleFollow,
  follows: handleFollows,
  publish: handlePublish,
  mark: handleMark,
  receipts: handleReceipts,
  search: handleSearch,
};
