import { readFileSync, statSync } from 'node:fs';
import { createPrivateFile, isPrivate } from '../config/private-file.ts';
import { BcastError } from '../errors.ts';
import {
  decodeIdentityFile,
  encodeIdentityFile,
  generateIdentitySeeds,
  type Identity,
  importIdentity,
} from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';

/**
 * The identity in a file, made there on first use; of two clients that start at once both get the same. Throws CONFIG
 * when the file is damaged, others may read it, or it cannot be used at all.
 */
export function loadIdentity(path: string, crypto: CryptoProvider): Identity {
  const text = useFile(path, () => {
    const present = read(path);
    if (present !== undefined) return present;
    createPrivateFile(path, encodeIdentityFile(generateIdentitySeeds(crypto)));
    return readFileSync(path, 'utf8');
  });
  return importIdentity(crypto, decodeIdentityFile(text));
}

function read(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!isPrivate(stats)) {
    throw new BcastError('CONFIG', {
      text: `${path} belongs to another account or can be read by others; make it yours alone: chmod 600 ${path}`,
    });
  }
  return readFileSync(path, 'utf8');
}

function useFile<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof BcastError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new BcastError('CONFIG', { text: `The identity in ${path} cannot be used (${code}).`, cause: error });
  }
}
