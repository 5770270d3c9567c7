import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'bcast-bench');

/** The path of nats-server: installed, cached, or fetched now without root. Throws with the list tried. */
export function findNatsServer(): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  const candidates = [...directories, join(CACHE, 'usr', 'sbin')].map((directory) => join(directory, 'nats-server'));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  return fetchNatsServer();
}

function fetchNatsServer(): string {
  try {
    mkdirSync(CACHE, { recursive: true });
    execFileSync('apt-get', ['download', 'nats-server'], { cwd: CACHE, stdio: 'pipe' });
    const archive = readdirSync(CACHE).find((name) => /^nats-server_.*\.deb$/.test(name));
    if (archive === undefined) throw new Error('apt-get left no package');
    execFileSync('dpkg-deb', ['-x', archive, '.'], { cwd: CACHE, stdio: 'pipe' });
  } catch (cause) {
    throw new Error(
      'nats-server is missing: it is neither on PATH nor in /usr/sbin, and `apt-get download nats-server` did not bring ' +
        'it. Install it (Debian: apt-get install nats-server) or leave it out with --targets.',
      { cause },
    );
  }
  return join(CACHE, 'usr', 'sbin', 'nats-server');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
