import type { Role } from '../../protocol/messages.ts';

const RANK: Readonly<Record<Role, number>> = { member: 0, moderator: 1, owner: 2, admin: 3 };

export function atLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

/** Whether somebody of role `actor` may act against somebody of role `subject`: never against an equal or better. */
export function outranks(actor: Role, subject: Role): boolean {
  return RANK[actor] > RANK[subject];
}

/** The role in a sentence. */
export function withArticle(role: Role): string {
  return role === 'owner' || role === 'admin' ? `an ${role}` : `a ${role}`;
}
