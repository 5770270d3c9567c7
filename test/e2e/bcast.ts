import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TestServer } from '../helpers/server.ts';

const root = join(import.meta.dirname, '../..');

/** The command under test. */
const COMMAND = [process.execPath, join(root, 'bin/bcast.ts')];

export interface Run {
  readonly child: ChildProcessWithoutNullStreams;
  /** What has come so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stdout matches; rejects when the process ends without it. */
  until(pattern: RegExp): Promise<void>;
  readonly exit: Promise<Exit>;
}

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Account {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Starts the command; its stdin stays open until the test ends it. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Run;
  /** Runs the command with this stdin to its end. */
  run(args: readonly string[], stdin?: string | Uint8Array): Promise<Exit>;
  /** Runs a line of bash in which `bcast` is the command, and `$BCAST` too, without a function around it. */
  shell(line: string, env?: Readonly<Record<string, string>>): Run;
}

/** An account of its own, with an empty home. With a server, that one is named and trusted in its environment. */
export function newAccount(
  server?: Pick<TestServer, 'port' | 'fingerprint'>,
  more: Readonly<Record<string, string>> = {},
): Account {
  const home = mkdtempSync(join(tmpdir(), 'bcast-account-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const named: Readonly<Record<string, string>> =
    server === undefined ? {} : { BCAST_SERVER: `bcast://127.0.0.1:${server.port}?fp=${server.fingerprint}` };
  const env = { HOME: home, PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...named, ...more };
  const start = (args: readonly string[], extra = {}) =>
    watch(spawn(COMMAND[0] as string, [...COMMAND.slice(1), ...args], { env: { ...env, ...extra }, cwd: home }));
  return {
    home,
    env,
    start,
    run(args, stdin = '') {
      const run = start(args);
      run.child.stdin.end(stdin);
      return run.exit;
    },
    shell(line, extra = {}) {
      const script = `BCAST='${COMMAND.join(' ')}'\nbcast() { ${COMMAND.map((word) => `'${word}'`).join(' ')} "$@"; }\n${line}`;
      return watch(spawn('bash', ['-c', script], { env: { ...env, ...extra }, cwd: home }));
    },
  };
}

function watch(child: ChildProcessWithoutNullStreams): Run {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // The command may end without reading what it is given.
  child.stdin.on('error', () => undefined);
  const exit = new Promise<Exit>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stdout)) resolve();
        };
        child.stdout.on('data', look);
        child.once('close', (code) => reject(new Error(`ended with ${code}: ${JSON.stringify({ stdout, stderr })}`)));
        look();
      }),
  };
}

/** Lines of text without the last newline. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
