import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory of the running test's own, gone after it. */
export function scratchDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'bcast-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes files, by path from `dir`, with the directories they need. */
export function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

/** A directory for PATH that holds only a `node`, which is this Node behind another file. */
export function nodeOnPath(dir: string): string {
  const bin = join(dir, 'path');
  writeFiles(bin, { node: `#!/bin/sh\nexec '${process.execPath}' "$@"\n` });
  chmodSync(join(bin, 'node'), 0o755);
  return bin;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what stdout holds as soon as it matches; rejects if the process ends without. */
  stdoutMatching(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts this Node on `args`, and ends it with the test. */
export function startNode(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string, input?: string): Running {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  if (input !== undefined) child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, stdoutMatching };

  function stdoutMatching(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(stdout);
        if (found !== null) resolve(found);
      };
      child.stdout?.on('data', look);
      void ended.then(() => reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`)));
      look();
    });
  }
}
