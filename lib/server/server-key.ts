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

/** Sets keys that are made of the server's apart from each other and from its signatures. */
const CODE_KEY_CONTEXT = Buffer.from('bcast room code key v1');

export interface ServerKey {
  readonly identity: Identity;
  /** 32 secret bytes for `createSecrets`. */
  readonly codeKey: Uint8Array;
  readonly isNew: boolean;
}

const FILE_NAME = 'server_key';

/** The server's identity, made on the first start. Throws CONFIG when the file is damaged or others may read it. */
export function loadServerKey(dataDir: string, crypto: CryptoProvider): ServerKey {
  const path = join(dataDir, FILE_NAME);
  const isMissing = statSync(path, { throwIfNoEntry: false }) === undefined;
  const isNew = isMissing && createPrivateFile(path, encodeIdentityFile(generateIdentitySeeds(crypto)));
  if (!isPrivate(statSync(path))) {
    throw new BcastError('CONFIG', { text: `${path} can be read by others; make it yours alone: chmod 600 ${path}` });
  }
  const seeds = decodeIdentityFile(readFileSync(path, 'utf8'));
  const codeKey = crypto.hmacSha256(seeds.signingSeed, CODE_KEY_CONTEXT);
  return { identity: importIdentity(crypto, seeds), codeKey, isNew };
}
