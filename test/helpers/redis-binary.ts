import { execFile, spawnSync } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findRedisProgram } from '../../lib/cli/redis-program.ts';

const run = promisify(execFile);

/** How a Redis server is started here. */
export interface RedisBinary {
  readonly command: string;
  /** One program is several: what it does goes by the name it is called by. */
  readonly argv0: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Sharded channels came with 7.0. */
const OLDEST_MAJOR = 7;
const PACKAGES = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];
const cache = join(import.meta.dirname, '../../.cache/redis');

let found: Promise<RedisBinary> | undefined;

/**
 * A Redis server of this machine, or else Debian's, fetched into `.cache/` without being installed. Tests that need one
 * never go without: it fails with what was tried and what would help.
 */
export function findRedis(): Promise<RedisBinary> {
  found ??= find();
  return found;
}

async function find(): Promise<RedisBinary> {
  const tried: string[] = [];
  const candidates: readonly (() => Promise<RedisBinary>)[] = [
    installed,
    unpacked,
    async () => {
      await fetchPackages();
      return unpacked();
    },
  ];
  for (const candidate of candidates) {
    try {
      return await candidate().then(requireServer);
    } catch (error) {
      tried.push((error as Error).message.trim());
    }
  }
  const help = `Install one: "apt-get install redis-tools" (Debian, Ubuntu) or "brew install redis" (macOS).`;
  throw new Error(`Tests of the Redis store need a Redis ${OLDEST_MAJOR} server. Tried:\n${tried.join('\n')}\n${help}`);
}

async function installed(): Promise<RedisBinary> {
  const program = findRedisProgram(process.env['PATH'] ?? '');
  if (program === null) throw new Error('no Redis or Valkey on PATH');
  return { ...program, env: {} };
}

function requireServer(binary: RedisBinary): RedisBinary {
  const { command, argv0, env } = binary;
  const { stdout } = spawnSync(command, ['--version'], { argv0, env: { ...process.env, ...env }, encoding: 'utf8' });
  const major = Number(/v=(\d+)\./.exec(stdout)?.[1]);
  if (!(major >= OLDEST_MAJOR)) throw new Error(`${command}: ${stdout.trim()} is no server, or too old`);
  return binary;
}

async function unpacked(): Promise<RedisBinary> {
  const libraries = join(cache, 'usr/lib');
  const command = join(cache, 'usr/bin/redis-check-rdb');
  if (!(await exists(command))) throw new Error(`${command}: not fetched yet`);
  const all = await readdir(libraries);
  const paths = all.map((name) => join(libraries, name)).join(delimiter);
  return { command, argv0: 'redis-server', env: { LD_LIBRARY_PATH: paths } };
}

/** As anybody, not only root: nothing is installed, and package lists that are missing are fetched aside. */
async function fetchPackages(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'bcast-redis-'));
  try {
    await download(scratch);
    const root = join(scratch, 'root');
    const packages = (await readdir(scratch)).filter((name) => name.endsWith('.deb'));
    for (const name of packages) await run('dpkg-deb', ['-x', join(scratch, name), root]);
    await publish(root);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function download(scratch: string): Promise<void> {
  // Not as the user _apt, who could not write here.
  const asIs = ['-o', 'APT::Sandbox::User=root'];
  try {
    await run('apt-get', [...asIs, 'download', ...PACKAGES], { cwd: scratch });
  } catch {
    const apt = join(scratch, 'apt');
    await mkdir(join(apt, 'lists/partial'), { recursive: true });
    await mkdir(join(apt, 'cache/archives/partial'), { recursive: true });
    const aside = [...asIs, '-o', `Dir::State::Lists=${apt}/lists`, '-o', `Dir::Cache=${apt}/cache`];
    await run('apt-get', [...aside, 'update'], { cwd: scratch });
    await run('apt-get', [...aside, 'download', ...PACKAGES], { cwd: scratch });
  }
}

/** Whole or not at all: several test files may be at it at the same time. */
async function publish(root: string): Promise<void> {
  const draft = `${cache}.${process.pid}`;
  await mkdir(join(cache, '..'), { recursive: true });
  await cp(root, draft, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(draft, cache);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(cache))) throw new Error(`${basename(cache)}: ${(error as Error).message}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
