import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Reloaded } from '../../config/live-config.ts';
import { BcastError } from '../../errors.ts';
import { type Infer, text } from './arguments.ts';
import type { AdminContext } from './context.ts';

const MAX_PATH_BYTES = 4_096;

export const BACKUP = { path: text(MAX_PATH_BYTES) };

/** Throws CONFIG for a configuration that is not valid, and then nothing has changed. */
export function reload(context: AdminContext): Reloaded {
  return context.reload();
}

/** Throws BAD_REQUEST where there is nothing to back up, OUTPUT_FAILED when the file cannot be written. */
export async function backup(
  { hub }: AdminContext,
  { path }: Infer<typeof BACKUP>,
): Promise<{ readonly path: string; readonly bytes: number }> {
  if (!isAbsolute(path)) throw new BcastError('BAD_REQUEST', { text: 'path must be absolute.' });
  if (hub.store.backup === undefined) {
    throw new BcastError('BAD_REQUEST', {
      text: 'The store of this server is no file: there is nothing to back up here.',
    });
  }
  try {
    await hub.store.backup(path);
    const { size: bytes } = statSync(path);
    hub.log.info({ path, bytes }, 'backed up');
    return { path, bytes };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof BcastError || code === undefined) throw error;
    throw new BcastError('OUTPUT_FAILED', { text: `${path} cannot be written (${code}).`, cause: error });
  }
}
