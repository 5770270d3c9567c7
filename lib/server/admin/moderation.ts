import { BcastError } from '../../errors.ts';
import { MAX_NAME_CHARS, MAX_REASON_BYTES } from '../../limits.ts';
import type { BanRow } from '../../protocol/messages.ts';
import { OPERATOR, requireUserName } from '../../protocol/names.ts';
import { enforceNetwork, layBan, liftBan, makeBan } from '../hub/commands/ban.ts';
import { expelFromNetwork } from '../hub/commands/kick.ts';
import { count, type Infer, optional, text } from './arguments.ts';
import type { AdminContext } from './context.ts';

const name = text(MAX_NAME_CHARS * 4);
/** Who keeps an address out that nobody has banned. */
const SERVER = requireUserName('server');
const reason = optional(text(MAX_REASON_BYTES));

export const KICK = { user: name, reason };
export const BAN = { target: name, durationMs: optional(count()), reason };
export const UNBAN = { target: name };

/** Also the addresses that this server keeps out by itself, because of wrong passwords. */
export function bans({ hub, clock }: AdminContext): readonly BanRow[] {
  const nowMs = clock.nowMs();
  const shutOut = hub.login.shutOut().map(([target, forMs]) => ({
    target,
    by: SERVER,
    untilMs: nowMs + forMs,
    reason: 'too many wrong passwords',
  }));
  return [...hub.network.bans.rows(nowMs), ...shutOut];
}

/** Rejects with NO_SUCH_USER. */
export async function kick(
  { hub }: AdminContext,
  { user, reason }: Infer<typeof KICK>,
): Promise<{ readonly user: string }> {
  const name = requireUserName(user);
  await expelFromNetwork(hub, OPERATOR, { name, reason });
  await hub.audit.note(null, 'kick', { user: name, room: null, reason });
  return { user: name };
}

/** Rejects with BAD_REQUEST for what is no target, and when there are too many. */
export async function ban({ hub }: AdminContext, terms: Infer<typeof BAN>): Promise<BanRow> {
  const laid = await makeBan(hub, OPERATOR, terms);
  await layBan(hub, null, { room: null, penalty: 'ban', ban: laid });
  enforceNetwork(hub);
  const { target, by, untilMs, reason } = laid;
  return { target, by, untilMs, reason };
}

/** Also lets an address in again that is shut out. Rejects with NO_SUCH_USER when there is neither that nor such a ban. */
export async function unban(
  { hub }: AdminContext,
  { target }: Infer<typeof UNBAN>,
): Promise<{ readonly target: string }> {
  const isLetIn = hub.login.letIn(target);
  try {
    await liftBan(hub, null, { room: null, penalty: 'ban', target });
  } catch (error) {
    if (!isLetIn || !(error instanceof BcastError) || error.code !== 'NO_SUCH_USER') throw error;
    await hub.audit.note(null, 'unban', { target, room: null });
  }
  return { target };
}
