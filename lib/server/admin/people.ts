import { BcastError } from '../../errors.ts';
import { MAX_NAME_CHARS, MAX_PASSWORD_BYTES } from '../../limits.ts';
import { type NameKey, nameKey, requireOwnName, requireUserName } from '../../protocol/names.ts';
import type { Account } from '../hub/accounts.ts';
import type { AuditEntry } from '../hub/audit.ts';
import type { Hub } from '../hub/hub.ts';
import { choice, count, fingerprint, type Infer, list, optional, record, text } from './arguments.ts';

/** What the operations on accounts need: a running server's hub has it, and so has a store that no server uses. */
export interface AccountDesk {
  readonly hub: Pick<Hub, 'accounts' | 'audit' | 'clock' | 'noteAccount'>;
}

/** An account as people see it: never with its hash. */
export interface UserRow {
  readonly name: string;
  readonly role: 'user' | 'admin';
  readonly hasPassword: boolean;
  readonly fingerprints: readonly string[];
  readonly createdMs: number;
  readonly seenMs: number;
}

const MAX_IMPORTED = 10_000;

const name = text(MAX_NAME_CHARS * 4);
const password = text(MAX_PASSWORD_BYTES);
const role = choice('user', 'admin');

export const USER = { name };
export const NEW_USER = { name, password: optional(password), fingerprint: optional(fingerprint()), role };
export const NEW_PASSWORD = { name, password };
export const NEW_ROLE = { name, role };
export const IMPORT = { users: list(record(NEW_USER), MAX_IMPORTED) };
export const AUDIT = { limit: optional(count(10_000)) };

export async function users({ hub }: AccountDesk): Promise<readonly UserRow[]> {
  return (await hub.accounts.list()).map(rowOf);
}

/** Rejects with NAME_REGISTERED, and with BAD_REQUEST for an account that nobody could enter. */
export async function addUser({ hub }: AccountDesk, user: Infer<typeof NEW_USER>): Promise<UserRow> {
  const account = await create({ hub }, user);
  await hub.audit.note(null, 'user add', { user: account.name, role: user.role });
  return rowOf(account);
}

/** Rejects with NO_SUCH_USER. */
export async function removeUser({ hub }: AccountDesk, { name: text }: Infer<typeof USER>): Promise<{ name: string }> {
  const name = requireUserName(text);
  if (!(await hub.accounts.remove(nameKey(name)))) throw noSuchAccount(name);
  hub.noteAccount(nameKey(name), null);
  await hub.audit.note(null, 'user remove', { user: name });
  return { name };
}

/** Rejects with NO_SUCH_USER, and with BAD_REQUEST for a password that is too short. */
export async function setUserPassword({ hub }: AccountDesk, terms: Infer<typeof NEW_PASSWORD>): Promise<UserRow> {
  const key = keyOf(terms.name);
  const account = await hub.accounts.setPassword(key, terms.password);
  if (account === null) throw noSuchAccount(terms.name);
  await hub.audit.note(null, 'user passwd', { user: account.name });
  return rowOf(account);
}

/** Rejects with NO_SUCH_USER. */
export async function setUserRole({ hub }: AccountDesk, terms: Infer<typeof NEW_ROLE>): Promise<UserRow> {
  const key = keyOf(terms.name);
  const isAdmin = terms.role === 'admin';
  const account = await hub.accounts.update(key, (before) => ({ ...before, isAdmin }));
  if (account === null) throw noSuchAccount(terms.name);
  hub.noteAccount(key, account);
  await hub.audit.note(null, 'user role', { user: account.name, role: terms.role });
  return rowOf(account);
}

/** Adds all it can; what cannot be added is named with the reason, and the others are there. */
export async function importUsers({ hub }: AccountDesk, { users: all }: Infer<typeof IMPORT>): Promise<Imported> {
  const added: string[] = [];
  const refused: Refusal[] = [];
  for (const user of all) {
    try {
      added.push((await create({ hub }, user)).name);
    } catch (error) {
      if (!(error instanceof BcastError) || error.code === 'INTERNAL') throw error;
      refused.push({ name: user.name, reason: error.message });
    }
  }
  await hub.audit.note(null, 'user import', { added: added.length, refused: refused.length });
  return { added, refused };
}

/** What moderators, admins and the operator did, the newest first. */
export function audit({ hub }: AccountDesk, { limit }: Infer<typeof AUDIT>): Promise<readonly AuditEntry[]> {
  return hub.audit.list(limit ?? 100);
}

export interface Refusal {
  readonly name: string;
  readonly reason: string;
}

export interface Imported {
  readonly added: readonly string[];
  readonly refused: readonly Refusal[];
}

function create({ hub }: AccountDesk, user: Infer<typeof NEW_USER>): Promise<Account> {
  if (user.password === null && user.fingerprint === null) {
    throw new BcastError('BAD_REQUEST', { text: 'An account needs a password or a key to enter by.' });
  }
  const { password: secret, fingerprint: fp } = user;
  const terms = { password: secret, isAdmin: user.role === 'admin', nowMs: hub.clock.nowMs() };
  return hub.accounts.register(requireOwnName(user.name), fp, terms);
}

function rowOf({ name, fps, password, isAdmin, createdMs, seenMs }: Account): UserRow {
  const role = isAdmin ? 'admin' : 'user';
  return { name, role, hasPassword: password !== null, fingerprints: fps, createdMs, seenMs };
}

function keyOf(text: string): NameKey {
  return nameKey(requireUserName(text));
}

function noSuchAccount(name: string): BcastError {
  return new BcastError('NO_SUCH_USER', { text: `There is no account ${name}.` });
}

/** What can be done to accounts without a running server. */
export const ACCOUNT_OPERATIONS = {
  users,
  addUser,
  removeUser,
  setUserPassword,
  setUserRole,
  importUsers,
} as const;
