import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from '../lib/cli/npm.mjs';

/**
 * What must be the same for installed packages to be the right ones: the lock file, and the system that chose the
 * native builds among them.
 *
 * @param {string} root
 * @param {string} nodeVersion of the Node that will load them
 * @returns {string}
 */
export function installStamp(root, nodeVersion) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} node${nodeVersion.split('.')[0]} ${process.platform}-${process.arch}\n`;
}

/**
 * @param {string} root
 * @returns {string}
 */
const stampPath = (root) => join(root, 'node_modules', '.bcast-setup');

/**
 * @param {string} root
 * @param {string} stamp
 * @returns {boolean}
 */
export function isInstalled(root, stamp) {
  return existsSync(stampPath(root)) && readFileSync(stampPath(root), 'utf8') === stamp;
}

/**
 * Makes node_modules what package-lock.json says. Throws an Error whose message is for people.
 *
 * @param {string} root
 * @param {string} stamp
 * @param {{ nodePath: string, env: NodeJS.ProcessEnv, say: (line: string) => void }} how
 * @returns {Promise<void>}
 */
export async function install(root, stamp, { nodePath, env, say }) {
  if (!matchesLock(root)) {
    say('installing packages (once)');
    // With NODE_ENV=production npm would leave out the compiler. No package of ours needs an install script, and our
    // own `prepare` would come back here.
    const args = ['ci', '--include=dev', '--ignore-scripts', '--prefer-offline'];
    await runNpm(args, { cwd: root, nodePath, env });
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stampPath(root), stamp);
}

/**
 * Whether npm itself has already installed exactly this lock file, so that somebody's `npm install` is not thrown away
 * and done again. npm keeps what it installed in node_modules/.package-lock.json.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function matchesLock(root) {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(installedPath);
  for (const [path, entry] of wanted) {
    const found = installed.get(path);
    if (found === undefined ? isForThisSystem(entry) : found.integrity !== entry.integrity) return false;
  }
  return [...installed.keys()].every((path) => wanted.has(path));
}

/**
 * @typedef {{ integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 *
 * @param {string} path
 * @returns {Map<string, LockEntry>}
 */
function packagesIn(path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'));
  return new Map(Object.entries(packages).filter(([name]) => name !== ''));
}

/**
 * An optional package for another system is rightly absent, and so is what only such a package needs; it names no system
 * itself. Which libc is ours is not looked at: npm knows.
 *
 * @param {LockEntry} entry
 * @returns {boolean}
 */
function isForThisSystem({ optional, os, cpu, libc }) {
  if (optional !== true) return true;
  if (libc !== undefined || (os === undefined && cpu === undefined)) return false;
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);
}
