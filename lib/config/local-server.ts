import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Directories } from './directories.ts';

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
}

const FILE = /^server-\d+\.json$/;

/** Tells this account's clients of a running server, in a file that nobody else can read. */
export function announceLocalServer({ runtime }: Directories, server: LocalServer): void {
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const path = fileOf(runtime, server.port);
  const draft = `${path}.${server.pid}`;
  writeFileSync(draft, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Takes the announcement back, unless another server has taken its place. */
export function withdrawLocalServer({ runtime }: Directories, { port, pid }: LocalServer): void {
  const path = fileOf(runtime, port);
  if (readServer(path)?.pid === pid) rmSync(path, { force: true });
}

/** The servers that run now, the newest first. A file that others could have written is not believed. */
export function localServers({ runtime }: Directories): readonly LocalServer[] {
  let names: readonly string[];
  try {
    if (!isOurs(runtime)) return [];
    names = readdirSync(runtime);
  } catch {
    return [];
  }
  return names
    .filter((name) => FILE.test(name))
    .flatMap((name) => readServer(join(runtime, name)) ?? [])
    .filter(({ pid }) => isRunning(pid))
    .sort((a, b) => b.startedMs - a.startedMs);
}

function fileOf(runtime: string, port: number): string {
  return join(runtime, `server-${port}.json`);
}

function readServer(path: string): LocalServer | undefined {
  try {
    if (!isOurs(path)) return undefined;
    const { url, host, port, fingerprint, pid, startedMs } = JSON.parse(readFileSync(path, 'utf8')) as LocalServer;
    const isWhole = [url, host, fingerprint].every((value) => typeof value === 'string');
    return isWhole && Number.isInteger(pid) && pid > 0 ? { url, host, port, fingerprint, pid, startedMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Owned by this account and closed to all others. */
function isOurs(path: string): boolean {
  const { mode, uid } = statSync(path);
  // Windows keeps no owner or mode here; its profile directories are private by themselves.
  if (process.getuid === undefined) return true;
  return uid === process.getuid() && (mode & 0o077) === 0;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
