import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
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

const FILE_NAME = 'server_key';

/** The server's identity, made on the first start. Throws CONFIG when the file is damaged or others may read it. */
export function loadServerKey(dataDir: string, crypto: CryptoProvider): { identity: Identity; isNew: boolean } {
  const path = join(dataDir, FILE_NAME);
  const isMissing = statSync(path, { throwIfNoEntry: false }) === undefined;
  const isNew = isMissing && createPrivateFile(path, encodeIdentityFile(generateIdentitySeeds(crypto)));
  if (!isPrivate(statSync(path))) {
    throw new BcastError('CONFIG', { text: `${path} can be read by others; make it yours alone: chmod 600 ${path}` });
  }
  return { identity: importIdentity(crypto, decodeIdentityFile(readFileSync(path, 'utf8'))), isNew };
}
