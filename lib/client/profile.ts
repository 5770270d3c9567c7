import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Directories } from '../config/directories.ts';
import { toUserName, type UserName } from '../protocol/names.ts';

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
    return typeof name === 'string' ? toUserName(name) : null;
  } catch {
    return null;
  }
}

/** Keeps the name for the next time. What cannot be written is not worth an error. */
export function rememberName({ profile }: ProfileFiles, name: UserName): void {
  try {
    mkdirSync(dirname(profile), { recursive: true, mode: 0o700 });
    const draft = `${profile}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify({ name })}\n`, { mode: 0o600 });
    renameSync(draft, profile);
  } catch {}
}

/** The account's name made into a valid one: what does not belong in a name becomes `-`. */
export function nameOfAccount(account: string): UserName {
  const name = toUserName(account) ?? toUserName(account.replace(/[^\p{L}\p{Nd}_.-]+/gu, '-').slice(0, 50));
  return name ?? ('user' as UserName);
}
