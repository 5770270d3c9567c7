import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
export async function loadServerKey(
  dataDir: string,
  crypto: CryptoProvider,
): Promise<{ identity: Identity; isNew: boolean }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE_NAME);
  const draft = `${path}.${Buffer.from(crypto.randomBytes(6)).toString('hex')}`;
  const isNew = await createOnce(path, draft, () => encodeIdentityFile(generateIdentitySeeds(crypto)));
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new BcastError('CONFIG', { text: `${path} can be read by others; make it yours alone: chmod 600 ${path}` });
  }
  return { identity: importIdentity(crypto, decodeIdentityFile(await readFile(path, 'utf8'))), isNew };
}

/** Writes the file whole or not at all, and only when it is not there: of two servers that start at once one wins. */
async function createOnce(path: string, draft: string, content: () => string): Promise<boolean> {
  if (await exists(path)) return false;
  await writeFile(draft, content(), { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
