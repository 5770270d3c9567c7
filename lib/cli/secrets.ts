import { closeSync, openSync, readSync } from 'node:fs';
import type { Loaded, Origin } from '../config/load.ts';
import type { ClientOptions } from '../config/options.ts';
import { BcastError } from '../errors.ts';

/** No secret is longer; a file that is may be anything, /dev/zero included. */
const MAX_FILE_BYTES = 4_096;

const STRENGTH: readonly Origin[] = ['flag', 'environment', '.env', 'file', 'default'];

/**
 * The password or the code that options name, themselves or by a file; undefined when they name none. Of the two the one
 * from the stronger source counts, and the secret itself where they are equal. Throws CONFIG, which never repeats a secret.
 */
export function secretOf({ values, origins }: Loaded<ClientOptions>, name: 'password' | 'code'): string | undefined {
  const fileName = `${name}File` as const;
  const isFile = STRENGTH.indexOf(origins[fileName]) < STRENGTH.indexOf(origins[name]);
  const file = values[fileName];
  return isFile && file !== undefined ? readSecretFile(file) : values[name];
}

/** The first line of a file, or of what stands behind its name: `<(pass show bcast)` will do. */
function readSecretFile(path: string): string {
  const secret = readStart(path).split(/\r?\n/, 1)[0] ?? '';
  if (secret === '') throw new BcastError('CONFIG', { text: `There is nothing in the first line of ${path}.` });
  return secret;
}

function readStart(path: string): string {
  const start = Buffer.alloc(MAX_FILE_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      // A pipe gives what it has, which may be less than all.
      let bytes = 0;
      for (let more = 1; more > 0 && bytes < start.length; bytes += more)
        more = readSync(file, start, bytes, start.length - bytes, null);
      return start.toString('utf8', 0, bytes);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BcastError('CONFIG', { text: `${path} cannot be read (${code}).`, cause: error });
  }
}
