import { BcastError } from '../../../errors.ts';
import type { Requests } from '../../../protocol/messages.ts';
import { nameKey } from '../../../protocol/names.ts';
import type { Account } from '../accounts.ts';
import { describe } from '../announce.ts';
import type { Hub } from '../hub.ts';
import type { UserSession } from '../user-session.ts';

/** Keeps the session's name for its identity, or sets the password of a name that is kept already. */
export async function handleRegister(hub: Hub, session: UserSession, request: Requests['register']): Promise<void> {
  const { req, password } = request;
  const { user, fp } = session;
  if (user.account === null) {
    if (hub.limits.auth === 'accounts') throw notRegistered();
    const nowMs = hub.clock.nowMs();
    const register = () => hub.accounts.register(user.name, fp, { password, isAdmin: false, nowMs });
    const account = await (password === null ? register() : hub.login.setInTurn(register));
    become(hub, session, account);
    await hub.followings.keep(user, fp);
    hub.log.info({ user: user.name, fp }, 'name registered');
    await hub.audit.note(user, 'register', { user: user.name });
  } else if (password !== null) {
    await hub.login.setInTurn(async () => {
      const account = await hub.accounts.setPassword(user.key, password);
      if (account === null) throw notRegistered();
      become(hub, session, account);
    });
    hub.log.info({ user: user.name, fp }, 'password set');
    await hub.audit.note(user, 'password', { user: user.name });
  }
  session.ok(req);
}

/** The name is free again for whoever comes; the session keeps it for as long as it stays. */
export async function handleUnregister(hub: Hub, session: UserSession, { req }: Requests['unregister']): Promise<void> {
  const { user } = session;
  if (user.account === null || hub.limits.auth === 'accounts') throw notRegistered();
  await hub.accounts.remove(user.key);
  user.account = null;
  describe(hub, user);
  hub.log.info({ user: user.name }, 'name unregistered');
  await hub.audit.note(user, 'unregister', { user: user.name });
  session.ok(req);
}

/** The name may have changed hands or shape meanwhile. */
function become(hub: Hub, { user, fp }: UserSession, account: Account): void {
  if (user.key !== nameKey(account.name)) return;
  user.account = account;
  user.fps = [...new Set([...account.fps, ...user.fps, fp])];
  describe(hub, user);
}

function notRegistered(): BcastError {
  return new BcastError('BAD_REQUEST', {
    text: 'Your name is not registered, or its registration is not yours to end.',
  });
}
