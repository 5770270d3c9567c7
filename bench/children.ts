import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import type { Placement } from './machine.ts';

const TERM_GRACE_MS = 3_000;
const KEPT_STDERR_CHARS = 4_096;

export interface PinnedChild {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The last of what it wrote to stderr, for the words of an error. */
  stderrTail(): string;
  /** Resolves with a description of how it ended. */
  readonly ended: Promise<string>;
  /** SIGTERM, then SIGKILL after three seconds; resolves when it is gone. */
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Starts a program that may use one core only. nice and taskset become the program, so the pid is the program's. */
export function spawnPinned({ core, nice }: Placement, command: readonly string[], options: SpawnOptions): PinnedChild {
  const pinned = ['taskset', '-c', String(core), ...command];
  const child = spawn('nice', ['-n', String(nice), ...pinned], { ...options, detached: nice !== 0 });
  running.add(child);
  if (nice !== 0) setGroupNice(child, nice);
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-KEPT_STDERR_CHARS);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    // 'close' and not 'exit': what it wrote last has been read then.
    child.once('close', (code, signal) => resolve(signal === null ? `exited with ${code}` : `was ended by ${signal}`));
  });
  void ended.then(() => running.delete(child));
  return {
    pid: child.pid ?? -1,
    process: child,
    stderrTail: () => tail,
    ended,
    async end() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Linux may weigh sessions before processes (sched_autogroup), and niceness then counts only inside a session. So a
 * child with a niceness has a session of its own, which is given the same.
 */
function setGroupNice({ pid }: ChildProcess, nice: number): void {
  const file = `/proc/${pid}/autogroup`;
  if (pid !== undefined && existsSync(file)) writeFileSync(file, String(nice));
}

/** Kills at once whatever still runs; used when the bench itself is ending. */
export function killAllChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Resolves with the first match of `pattern` in what the child writes on `stream`; fails if it ends or stays silent. */
export async function waitForOutput(
  child: PinnedChild,
  stream: 'stdout' | 'stderr',
  pattern: RegExp,
  timeoutMs = 10_000,
): Promise<RegExpExecArray> {
  const source = child.process[stream];
  if (source === null) throw new Error(`the child's ${stream} is not a pipe`);
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  const onText = (more: Buffer | string) => {
    text += more;
    const match = pattern.exec(text);
    if (match !== null) resolve(match);
  };
  const timer = setTimeout(() => reject(new Error(`nothing like ${pattern} on ${stream}:\n${text}`)), timeoutMs);
  source.on('data', onText);
  void child.ended.then((how) => reject(new Error(`the server ${how}:\n${child.stderrTail() || text}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    source.off('data', onText);
    source.resume();
  }
}
