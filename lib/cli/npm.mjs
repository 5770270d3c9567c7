import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';

/** Enough of npm's output to find its reason in, in characters. */
const KEPT_OUTPUT_CHARS = 65_536;

/** npm gives up after about four seconds without a registry; with its own settings it would be over a minute. */
const FAIL_SOON = ['--fetch-retries=2', '--fetch-retry-mintimeout=500', '--fetch-retry-maxtimeout=2000'];

/** Whatever command npm may be running around us, the npm inside works on its own directory and prints no advice. */
const ON_ITS_OWN = ['--no-global', '--no-dry-run', '--no-audit', '--no-fund', '--no-update-notifier'];

/**
 * npm's own script: the npm that started us, else the one beside this Node, else the first on PATH.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findNpm(env) {
  const caller = env['npm_execpath'];
  if (caller !== undefined && /^np[mx]-cli\.[cm]?js$/.test(basename(caller))) {
    const npm = join(dirname(caller), basename(caller).replace('npx', 'npm'));
    if (existsSync(npm)) return npm;
  }
  const nodeDir = dirname(realpathSync(process.execPath));
  const path = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((dir) => dir !== '');
  const candidates = [
    join(nodeDir, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(nodeDir, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    ...path.flatMap((dir) => [join(dir, 'npm'), join(dir, 'node_modules', 'npm', 'bin', 'npm-cli.js')]),
  ];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    const script = realpathSync(candidate);
    if (script.endsWith('.js')) return script;
  }
  return undefined;
}

/**
 * Runs npm in `cwd` under the Node at `nodePath`. It is silent: stdin is left alone, nothing reaches our stdout, and a
 * failure is thrown as an Error whose message is for people and says what to do.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, nodePath: string, env: NodeJS.ProcessEnv }} where
 * @returns {Promise<void>}
 */
export async function runNpm(args, { cwd, nodePath, env }) {
  const npm = findNpm(env);
  if (npm === undefined) throw new Error('npm was not found beside this Node or on PATH; install npm, then try again.');
  const { code, output } = await capture(nodePath, [npm, ...args, ...ON_ITS_OWN, ...FAIL_SOON], cwd, env);
  if (code !== 0) throw new Error(describeFailure(output));
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function capture(command, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/**
 * npm's many lines as the one that helps.
 *
 * @param {string} output
 * @returns {string}
 */
export function describeFailure(output) {
  const unreachable =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|FETCH_ERROR)\b/.exec(
      output,
    );
  if (unreachable !== null) {
    return `npm could not reach its package registry (${unreachable[1]}): check the network, the proxy and \`npm config get registry\`, then try again.`;
  }
  const errors = output.split('\n').filter((line) => /^npm (ERR!|error)/.test(line) && !line.includes('complete log'));
  const reason = (errors.length > 0 ? errors : output.split('\n')).slice(0, 12).join('\n').trim();
  return `npm failed:\n${reason === '' ? 'it said nothing.' : reason}`;
}
