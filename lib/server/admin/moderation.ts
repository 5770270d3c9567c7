import { MAX_NAME_CHARS, MAX_REASON_BYTES } from '../../limits.ts';
import type { BanRow } from '../../protocol/messages.ts';
import { requireUserName } from '../../protocol/names.ts';
import { layBan, liftBan, makeBan } from '../hub/commands/ban.ts';
import { kickFromServer } from '../hub/commands/kick.ts';
import { requireUser } from '../hub/gate.ts';
import { count, type Infer, optional, text } from './arguments.ts';
import type { AdminContext } from './operations.ts';

/** As whom those who are kicked and banned are told that it was done. */
const OPERATOR = requireUserName('operator');

const name = text(MAX_NAME_CHARS * 4);
const reason = optional(text(MAX_REASON_BYTES));

export const KICK = { user: name, reason };
export const BAN = { target: name, durationMs: optional(count()), reason };
export const UNBAN = { target: name };

export function bans({ hub, clock }: AdminContext): readonly BanRow[] {
  return hub.bans.rows(clock.nowMs());
}

/** Throws NO_SUCH_USER. */
export function kick(
  { hub }: AdminContext,
  { user: asked, reason }: Infer<typeof KICK>,
): { readonly user: string; readonly sessions: number } {
  const subject = requireUser(hub, requireUserName(asked));
  const { name: user } = subject;
  const sessions = subject.sessions.size;
  kickFromServer(hub, OPERATOR, subject, reason);
  return { user, sessions };
}

/** Throws BAD_REQUEST for what is no target. */
export function ban({ hub }: AdminContext, terms: Infer<typeof BAN>): BanRow {
  const laid = makeBan(hub, OPERATOR, terms);
  layBan(hub, null, laid);
  return { target: laid.target, by: laid.by, untilMs: laid.untilMs, reason: laid.reason };
}

/** Throws NO_SUCH_USER when there is no such ban. */
export function unban({ hub }: AdminContext, { target }: Infer<typeof UNBAN>): { readonly target: string } {
  liftBan(hub, null, OPERATOR, target);
  return { target };
}
