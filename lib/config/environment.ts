import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { BcastError } from '../errors.ts';
import { type Directories, directoriesOf } from './directories.ts';
import type { Sources } from './load.ts';

type Texts = Readonly<Record<string, string | undefined>>;

/** What a process is told by where and by whom it was started. This file alone reads process.env. */
export interface Environment {
  readonly env: Texts;
  readonly cwd: string;
  readonly directories: Directories;
  /** The name of the account, or `user` where the system has none for it. */
  readonly account: string;
}

export function readEnvironment(): Environment {
  const env = process.env;
  return {
    env,
    cwd: process.cwd(),
    directories: directoriesOf(env, homedir(), process.platform),
    account: account(env),
  };
}

/** Where options come from: `flags`, the environment, `.env` in the working directory, and this account's `config` file. */
export function readSources(flags: Texts, { env, cwd, directories }: Environment): Sources {
  return {
    flags,
    env,
    dotenv: readKeyValues(join(cwd, '.env')),
    file: readKeyValues(userFile(directories)),
  };
}

/** This account's own settings, for every directory it works in. */
export function userFile({ config }: Directories): string {
  return join(config, 'config');
}

/** Throws CONFIG for a file that is there and cannot be read. process.env stays as it is. */
function readKeyValues(path: string): Texts {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new BcastError('CONFIG', { text: `${path} cannot be read (${code}).`, cause: error });
  }
  return parse(text);
}

function account(env: Texts): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no passwd file knows.
    return env['USER'] ?? 'user';
  }
}
