import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SOURCES = ['bin', 'lib'];
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];

/**
 * Names, sizes and times of everything the build reads: some 200 files in a few milliseconds, without reading one.
 *
 * @param {string} root
 * @returns {string}
 */
export function buildStamp(root) {
  const hash = createHash('sha256');
  for (const path of [...SETTINGS, ...SOURCES.flatMap((dir) => filesUnder(root, dir))]) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} dir relative to `root`
 * @returns {string[]} paths relative to `root`, sorted
 */
function filesUnder(root, dir) {
  const top = join(root, dir);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * @param {string} root
 * @returns {string}
 */
const stampPath = (root) => join(root, 'dist', '.stamp');

/**
 * @param {string} root
 * @param {string} stamp
 * @returns {boolean}
 */
export function isBuilt(root, stamp) {
  return existsSync(stampPath(root)) && readFileSync(stampPath(root), 'utf8') === stamp;
}

/**
 * Compiles bin/ and lib/ into dist/. Throws an Error with the compiler's findings.
 *
 * @param {string} root
 * @param {string} stamp
 * @param {{ nodePath: string, say: (line: string) => void }} how
 * @returns {Promise<void>}
 */
export async function build(root, stamp, { nodePath, say }) {
  say('building');
  rmSync(stampPath(root), { force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await run(nodePath, [compiler, '-p', 'tsconfig.build.json', '--pretty', 'false'], root);
  if (code !== 0) throw new Error(`the build failed:\n${output.trim()}`);
  removeOrphans(root);
  writeFileSync(stampPath(root), stamp);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/**
 * The compiler leaves what it made from a source that is gone; it would be packed and published.
 *
 * @param {string} root
 */
function removeOrphans(root) {
  const dist = join(root, 'dist');
  for (const path of SOURCES.flatMap((dir) => filesUnder(dist, dir))) {
    const source = path.replace(/(?:\.d)?\.(m?)[jt]s$/, '.$1');
    if (!existsSync(join(root, `${source}ts`)) && !existsSync(join(root, `${source}js`))) rmSync(join(dist, path));
  }
}
