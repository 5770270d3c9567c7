import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Directories } from './directories.ts';
import { closePrivateDirectory, isPrivate, replacePrivateFile } from './private-file.ts';

/** A server that this account runs on this machine. */
export interface LocalServer {
  /** With its fingerprint. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** The path of its admin socket; null when it has none. */
  readonly adminSocket: string | null;
}

/** What a server leaves in the runtime directory, by port and process: several may share a port. */
const STATE_FILE = /^server-\d+-(\d+)\.json$/;
const ANY_FILE = /^(?:server|admin)-\d+-(\d+)\.(?:json|sock)$/;

/** Tells this account's clients of a running server, in a file that nobody else can read. */
export function announceLocalServer({ runtime }: Directories, server: LocalServer): void {
  closePrivateDirectory(runtime);
  removeLeftovers(runtime);
  replacePrivateFile(fileOf(runtime, server), `${JSON.stringify(server)}\n`);
}

/** Takes the announcement back. */
export function withdrawLocalServer({ runtime }: Directories, server: LocalServer): void {
  rmSync(fileOf(runtime, server), { force: true });
}

/** Where the admin socket of this account's server belongs. */
export function adminSocketOf({ runtime }: Directories, { port, pid }: Pick<LocalServer, 'port' | 'pid'>): string {
  return join(runtime, `admin-${port}-${pid}.sock`);
}

/** The servers that run now, the newest first. A file that others could have written is not believed. */
export function localServers({ runtime }: Directories): readonly LocalServer[] {
  let names: readonly string[];
  try {
    if (!isPrivate(statSync(runtime))) return [];
    names = readdirSync(runtime);
  } catch {
    return [];
  }
  return names
    .filter((name) => STATE_FILE.test(name))
    .flatMap((name) => readServer(join(runtime, name)) ?? [])
    .filter(({ pid }) => isRunning(pid))
    .sort((a, b) => b.startedMs - a.startedMs);
}

function fileOf(runtime: string, { port, pid }: LocalServer): string {
  return join(runtime, `server-${port}-${pid}.json`);
}

/** What servers left that were killed. */
function removeLeftovers(runtime: string): void {
  for (const name of readdirSync(runtime)) {
    const pid = ANY_FILE.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(runtime, name), { force: true });
  }
}

function readServer(path: string): LocalServer | undefined {
  try {
    if (!isPrivate(statSync(path))) return undefined;
    const server = JSON.parse(readFileSync(path, 'utf8')) as LocalServer;
    const { url, host, port, fingerprint, pid, startedMs, adminSocket } = server;
    const isWhole = [url, host, fingerprint, adminSocket ?? ''].every((value) => typeof value === 'string');
    const isSound = [port, pid, startedMs].every((value) => Number.isSafeInteger(value) && value > 0);
    return isWhole && isSound
      ? { url, host, port, fingerprint, pid, startedMs, adminSocket: adminSocket ?? null }
      : undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
