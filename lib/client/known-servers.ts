import { appendFileSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateDirectory } from '../config/private-file.ts';
import { BcastError } from '../errors.ts';
import { isFingerprint } from '../wire/crypto/identity.ts';

/** What the file says of one server. */
export interface KnownServer {
  readonly fingerprint: string;
  /** Counted from 1, for people who must edit the file. */
  readonly line: number;
}

/**
 * A file of `HOST:PORT SHA256:...` lines, as ssh keeps its known hosts; the first line for an address counts, and blank
 * lines and those that begin with `#` are left alone. Throws CONFIG when the file cannot be read, and for a line that
 * names the address without a fingerprint: to take that for "not known" would open what somebody meant to pin.
 */
export function findKnownServer(path: string, address: string): KnownServer | undefined {
  for (const [i, text] of read(path).split('\n').entries()) {
    const [listed, fingerprint = ''] = text.trim().split(/\s+/);
    if (listed !== address) continue;
    if (!isFingerprint(fingerprint)) {
      throw new BcastError('CONFIG', { text: `Line ${i + 1} of ${path} has no fingerprint for ${address}.` });
    }
    return { fingerprint, line: i + 1 };
  }
  return undefined;
}

/**
 * Adds a server and says what the file now has of it, which is another fingerprint when another process was quicker. A
 * line is appended by one write, so that processes that add servers at the same time lose none. Throws CONFIG when the
 * file cannot be written.
 */
export function addKnownServer(path: string, address: string, fingerprint: string): KnownServer | undefined {
  const known = findKnownServer(path, address);
  if (known !== undefined) return known;
  const before = read(path);
  // An editor may have left the last line without its end.
  const start = before === '' || before.endsWith('\n') ? '' : '\n';
  try {
    makePrivateDirectory(dirname(path));
    appendFileSync(path, `${start}${address} ${fingerprint}\n`, { mode: 0o600 });
  } catch (error) {
    throw unusable(path, error);
  }
  return findKnownServer(path, address);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): BcastError {
  const { code } = error as NodeJS.ErrnoException;
  return new BcastError('CONFIG', { text: `The known servers in ${path} cannot be used (${code}).`, cause: error });
}
