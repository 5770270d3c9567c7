/**
 * Makes a checkout ready and runs something in it: `node setup.mjs [TOOL [ARGUMENTS]]`. TOOL is `bcast`, a script of
 * ours (bench/main.ts) or the command of an installed package (vitest); without one it only installs and builds.
 * It needs nothing but Node 20 and npm, brings the Node that bcast runs on where this one is older, and says what it
 * does on stderr: stdout belongs to the tool.
 */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findRuntime, obtainRuntime, runUnder } from './lib/cli/runtime.mjs';
import { build, buildStamp, isBuilt } from './setup/build.mjs';
import { install, installStamp, isInstalled } from './setup/install.mjs';
import { withLock } from './setup/lock.mjs';

const ROOT = dirname(fileURLToPath(import.meta.url));

/** The oldest Node that can run this file and npm. */
const MINIMUM_SETUP_NODE_MAJOR = 20;

/** Nobody presses Ctrl-C twice as fast as this, in milliseconds. */
const ONE_PRESS_MS = 150;

/** They read sources, not dist, and must work on sources that do not compile. */
const TOOLS_WITHOUT_BUILD = new Set(['biome', 'knip', 'tsc']);

/** @param {string} line */
const say = (line) => process.stderr.write(`setup: ${line}\n`);

/**
 * @param {boolean} mustBuild
 * @returns {Promise<import('./lib/cli/runtime.mjs').Runtime>}
 */
async function makeReady(mustBuild) {
  const { env } = process;
  const lock = join(ROOT, '.cache', 'setup.lock');
  const runtime = findRuntime(env) ?? (await withLock(lock, () => obtainRuntime(env, say)));
  const stamp = installStamp(ROOT, runtime.version);
  const isReady = () => isInstalled(ROOT, stamp) && (!mustBuild || isBuilt(ROOT, buildStamp(ROOT)));
  if (isReady()) return runtime;
  await withLock(lock, async () => {
    if (!isInstalled(ROOT, stamp)) await install(ROOT, stamp, { nodePath: runtime.path, env, say });
    const sources = buildStamp(ROOT);
    if (mustBuild && !isBuilt(ROOT, sources)) await build(ROOT, sources, { nodePath: runtime.path, say });
  });
  return runtime;
}

/**
 * @param {string} tool
 * @returns {string} the script behind it
 */
function scriptOf(tool) {
  if (tool === 'bcast') return join(ROOT, 'dist', 'bin', 'bcast.js');
  if (existsSync(join(ROOT, tool))) return join(ROOT, tool);
  for (const dir of [tool, `@biomejs/${tool}`, 'typescript']) {
    const home = join(ROOT, 'node_modules', dir);
    if (!existsSync(join(home, 'package.json'))) continue;
    const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const script = typeof bin === 'string' ? bin : bin?.[tool];
    if (script !== undefined) return join(home, script);
  }
  throw new Error(`there is no tool called ${tool}.`);
}

/**
 * On a terminal Ctrl-C reaches npm and us alike, and npm passes its copy on: one press must not count as two, for a
 * second one means "at once". Node takes `process.emit` from here for every signal that is listened to later.
 */
function dropEchoedInterrupts() {
  if (!isatty(0)) return;
  const emit = process.emit;
  let lastMs = Number.NEGATIVE_INFINITY;
  /** @param {[string, ...unknown[]]} event */
  function emitOnce(...event) {
    const isInterrupt = event[0] === 'SIGINT';
    const isEcho = isInterrupt && performance.now() - lastMs < ONE_PRESS_MS;
    if (isInterrupt) lastMs = performance.now();
    return isEcho || Reflect.apply(emit, process, event);
  }
  Object.defineProperty(process, 'emit', { value: emitOnce, configurable: true, writable: true });
}

/**
 * @param {import('./lib/cli/runtime.mjs').Runtime} runtime
 * @param {string} script
 * @param {string[]} args
 */
async function run(runtime, script, args) {
  if (runtime.path === process.execPath) {
    process.argv = [process.execPath, script, ...args];
    dropEchoedInterrupts();
    await import(pathToFileURL(script).href);
    return;
  }
  // Whatever the tool starts as `node` is to be the same Node.
  const PATH = [dirname(runtime.path), process.env['PATH']].join(delimiter);
  await runUnder(runtime.path, script, args, { ...process.env, PATH });
}

/**
 * @param {string | undefined} tool
 * @returns {Promise<{ runtime: import('./lib/cli/runtime.mjs').Runtime, script: string } | undefined>} undefined when
 *   there is nothing to run, or after saying why it cannot be
 */
async function prepare(tool) {
  try {
    if (Number(process.versions.node.split('.')[0]) < MINIMUM_SETUP_NODE_MAJOR) {
      throw new Error(
        `this is Node ${process.version}; ${MINIMUM_SETUP_NODE_MAJOR} or newer is needed to set bcast up.`,
      );
    }
    const runtime = await makeReady(tool === undefined || !TOOLS_WITHOUT_BUILD.has(tool));
    return tool === undefined ? undefined : { runtime, script: scriptOf(tool) };
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
    return undefined;
  }
}

const [, , tool, ...args] = process.argv;
const ready = await prepare(tool);
if (ready !== undefined) await run(ready.runtime, ready.script, args);
