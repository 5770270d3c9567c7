import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BcastError } from '../errors.ts';
import {
  decodeIdentityFile,
  encodeIdentityFile,
  generateIdentitySeeds,
  type Identity,
  importIdentity,
} from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';

/** The identity in a file, made there on first use. Throws CONFIG when the file is damaged or others may read it. */
export function loadIdentity(path: string, crypto: CryptoProvider): Identity {
  const text = read(path) ?? create(path, encodeIdentityFile(generateIdentitySeeds(crypto)));
  return importIdentity(crypto, decodeIdentityFile(text));
}

function read(path: string): string | undefined {
  try {
    if (process.getuid !== undefined && (statSync(path).mode & 0o077) !== 0) {
      throw new BcastError('CONFIG', { text: `${path} can be read by others; make it yours alone: chmod 600 ${path}` });
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Appears whole or not at all; of two clients that start at once both end up with the same identity. */
function create(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${Math.trunc(performance.now() * 1_000)}`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8');
  } finally {
    unlinkSync(draft);
  }
}
