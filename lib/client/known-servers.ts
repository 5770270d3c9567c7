import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isFingerprint } from '../wire/crypto/identity.ts';

/** What the file says of one server. */
export interface KnownServer {
  readonly fingerprint: string;
  /** Counted from 1, for people who must edit the file. */
  readonly line: number;
}

/**
 * A file of `HOST:PORT SHA256:...` lines, as ssh keeps its known hosts. Blank lines and lines that begin with `#` are
 * left alone, and so is what cannot be understood.
 */
export function findKnownServer(path: string, address: string): KnownServer | undefined {
  const lines = readLines(path);
  for (const [i, text] of lines.entries()) {
    const [listed, fingerprint] = text.trim().split(/\s+/);
    if (listed === address && fingerprint !== undefined && isFingerprint(fingerprint)) return { fingerprint, line: i + 1 };
  }
  return undefined;
}

/** Adds a server that is not listed. The file is replaced whole, so that a reader never sees half of it. */
export function addKnownServer(path: string, address: string, fingerprint: string): void {
  if (findKnownServer(path, address) !== undefined) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lines = [...readLines(path), `${address} ${fingerprint}`];
  const draft = `${path}.${process.pid}.${Math.trunc(performance.now() * 1_000)}`;
  writeFileSync(draft, `${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').replace(/\n$/, '').split('\n').filter((line, i, all) => line !== '' || all.length > 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
