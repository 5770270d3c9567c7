import { MAX_NAME_CHARS, MAX_REASON_BYTES } from '../../limits.ts';
import type { BanRow } from '../../protocol/messages.ts';
import { OPERATOR, requireUserName } from '../../protocol/names.ts';
import { enforceNetwork, layBan, liftBan, makeBan } from '../hub/commands/ban.ts';
import { expelFromNetwork } from '../hub/commands/kick.ts';
import { count, type Infer, optional, text } from './arguments.ts';
import type { AdminContext } from './context.ts';

const name = text(MAX_NAME_CHARS * 4);
const reason = optional(text(MAX_REASON_BYTES));

export const KICK = { user: name, reason };
export const BAN = { target: name, durationMs: optional(count()), reason };
export const UNBAN = { target: name };

export function bans({ hub, clock }: AdminContext): readonly BanRow[] {
  return hub.network.bans.rows(clock.nowMs());
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

/** Rejects with NO_SUCH_USER when there is no such ban. */
export async function unban(
  { hub }: AdminContext,
  { target }: Infer<typeof UNBAN>,
): Promise<{ readonly target: string }> {
  await liftBan(hub, null, { room: null, penalty: 'ban', target });
  return { target };
}
