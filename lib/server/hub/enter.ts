import type { Events, Fingerprint, Requests } from '../../protocol/messages.ts';
import { nameKey, type UserName } from '../../protocol/names.ts';
import type { Account } from './accounts.ts';
import { holderOf } from './announce.ts';
import { checkServerBan, checkUserName } from './gate.ts';
import type { Hub } from './hub.ts';
import type { Outbox } from './ports.ts';
import { RateLimit } from './rate-limit.ts';
import type { User } from './user.ts';
import { UserSession } from './user-session.ts';

/** Who wants to come in; the identity has been proven by the handshake. */
export interface Arrival {
  readonly hello: Requests['hello'];
  readonly fp: Fingerprint;
  readonly address: string;
  readonly outbox: Outbox;
}

interface NewUser {
  readonly name: UserName;
  readonly fp: Fingerprint;
  readonly account: Account | null;
}

/** Lets a session in under that token, or rejects; nobody hears of a refused one. */
export async function enter(hub: Hub, { hello, fp, address, outbox }: Arrival, token: string): Promise<UserSession> {
  const { name, password } = hello;
  checkUserName(hub, name);
  checkServerBan(hub, { nameKey: nameKey(name), fps: [fp], address });
  const account = await hub.login.authenticate({ name, fp, address, password });
  const fps = identities(account, fp);
  checkServerBan(hub, { nameKey: nameKey(name), fps, address });
  const following = await hub.followings.load(account === null ? fp : `@${nameKey(name)}`);
  const newcomer = newUser(hub, { name, fp, account });
  await hub.backplane.claim(holderOf(newcomer), token, hub.limits.maxSessionsPerUser);
  const user = settleIn(hub, newcomer, token);
  if (user === newcomer) hub.followings.enter(user, following);
  user.account = account ?? user.account;
  user.fps = identities(account, ...user.fps, fp);
  user.isAdmin = hub.isAdmin(user.account, user.fps);
  const session = new UserSession(user, { token, fp, address, outbox });
  user.sessions.add(session);
  session.tell(welcome(hub, user, hello.req));
  session.ok(hello.req);
  return session;
}

/** The user a newcomer belongs to: the one who is here already, or itself. Throws NAME_IN_USE and TOO_MANY_SESSIONS. */
function settleIn(hub: Hub, newcomer: User, token: string): User {
  const { name, fp, account, key } = newcomer;
  try {
    const present = hub.users.claim(name, fp, account);
    if (present === undefined) hub.users.add(newcomer);
    return present ?? newcomer;
  } catch (error) {
    void hub.backplane.release(key, token);
    throw error;
  }
}

function newUser(hub: Hub, { name, fp, account }: NewUser): User {
  return {
    name,
    key: nameKey(name),
    fp,
    fps: [fp],
    account,
    isAdmin: hub.isAdmin(account, [fp]),
    sessions: new Set(),
    roomCount: 0,
    rate: new RateLimit(hub.limits, hub.clock),
    away: null,
    following: [],
    sinceMs: hub.clock.nowMs(),
    activeMs: hub.clock.monotonicMs(),
  };
}

/** Each once; the account's first. */
function identities(account: Account | null, ...fps: readonly Fingerprint[]): readonly Fingerprint[] {
  return [...new Set([...(account?.fps ?? []), ...fps])];
}

function welcome({ limits, network, serverName, settings }: Hub, user: User, req: number): Events['welcome'] {
  return {
    type: 'welcome',
    req,
    name: user.name,
    role: user.isAdmin ? 'admin' : 'member',
    registered: user.account !== null,
    server: serverName,
    maxBodyBytes: limits.maxBodyBytes,
    idleTimeoutMs: limits.idleTimeout,
    // Of three pings two may be late.
    pingIntervalMs: Math.min(limits.pingInterval, Math.floor(limits.idleTimeout / 3)),
    motd: network.motd ?? settings.motd ?? null,
  };
}
