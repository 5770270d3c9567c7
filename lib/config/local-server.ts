import { chmodSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Directories } from './directories.ts';
import { isPrivate, makePrivateDirectory, replacePrivateFile } from './private-file.ts';

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
  makePrivateDirectory(runtime);
  // It may have been made by hand, and a directory that others can write to is not believed.
  if (!isPrivate(statSync(runtime))) chmodSync(runtime, 0o700);
  replacePrivateFile(fileOf(runtime, server.port), `${JSON.stringify(server)}\n`);
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
    if (!isPrivate(statSync(runtime))) return [];
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
    if (!isPrivate(statSync(path))) return undefined;
    const { url, host, port, fingerprint, pid, startedMs } = JSON.parse(readFileSync(path, 'utf8')) as LocalServer;
    const isWhole = [url, host, fingerprint].every((value) => typeof value === 'string');
    const isSound = [port, pid, startedMs].every((value) => Number.isSafeInteger(value) && value > 0);
    return isWhole && isSound ? { url, host, port, fingerprint, pid, startedMs } : undefined;
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
