import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Directories } from '../config/directories.ts';
import { replacePrivateFile } from '../config/private-file.ts';
import { MAX_NAME_CHARS } from '../limits.ts';
import { isReserved, toUserName, type UserName } from '../protocol/names.ts';

/** Where a client of this account keeps what is its own. */
export interface ProfileFiles {
  readonly identity: string;
  readonly knownServers: string;
  /** The name used last. */
  readonly profile: string;
  /** What was typed in the full-screen client. */
  readonly inputHistory: string;
}

export function profileFiles({ data, state }: Directories): ProfileFiles {
  return {
    identity: join(data, 'identity'),
    knownServers: join(data, 'known_servers'),
    profile: join(state, 'profile.json'),
    inputHistory: join(state, 'input_history'),
  };
}

/** The name that was remembered, or null. A file that cannot be read counts as none. */
export function rememberedName({ profile }: ProfileFiles): UserName | null {
  try {
    const { name } = JSON.parse(readFileSync(profile, 'utf8')) as { readonly name?: unknown };
    return typeof name === 'string' ? ownName(name) : null;
  } catch {
    return null;
  }
}

/** Keeps the name for the next time. What cannot be written is not worth an error. */
export function rememberName(files: ProfileFiles, name: UserName): void {
  if (rememberedName(files) === name) return;
  try {
    replacePrivateFile(files.profile, `${JSON.stringify({ name })}\n`);
  } catch {
    // A home that cannot be written to is no reason not to talk.
  }
}

/** The account's name made into a valid one: what does not belong in a name becomes `-`. */
export function nameOfAccount(account: string): UserName {
  const whole = ownName(account);
  if (whole !== null) return whole;
  const cleaned = account.normalize('NFKC').replace(/[^\p{L}\p{Nd}_.-]+/gu, '-');
  const shortened = [...cleaned].slice(0, MAX_NAME_CHARS).join('');
  return ownName(shortened.replace(/^-+|-+$/g, '')) ?? ('user' as UserName);
}

/** Null also for a name that nobody may bear. */
function ownName(text: string): UserName | null {
  const name = toUserName(text);
  return name === null || isReserved(name) ? null : name;
}
