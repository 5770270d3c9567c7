/**
 * `node setup/complete-lock.mjs`, after npm has written package-lock.json: adds the optional packages for other systems
 * that npm left out because the registry at hand does not have them. `npm ci` refuses a lock file without them on every
 * system, although it would install none of them here. An entry without an integrity is what npm itself writes when it
 * knows none; a registry that has the package completes it at the next `npm install`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * @typedef {{
 *   version?: string, cpu?: string[], dev?: boolean, libc?: string[], optional?: boolean, os?: string[],
 *   optionalDependencies?: Record<string, string>,
 * }} LockEntry
 */

/**
 * The optional dependencies that some package names with an exact version and the lock file does not hold.
 *
 * @param {Record<string, LockEntry>} packages as in package-lock.json
 * @returns {Record<string, LockEntry>}
 */
export function missingOptionals(packages) {
  /** @type {Record<string, LockEntry>} */
  const missing = {};
  for (const [path, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages) continue;
      const { cpu, libc, os } = systemOf(name);
      // In npm's own order, so that npm has nothing to change.
      missing[`node_modules/${name}`] = {
        version,
        ...cpu,
        ...(dev === true && { dev }),
        ...libc,
        optional: true,
        ...os,
      };
    }
  }
  return missing;
}

/**
 * Such packages are named after what they are built for: binding-linux-arm-musleabihf.
 *
 * @param {string} name
 * @returns {{ cpu?: { cpu: string[] }, libc?: { libc: string[] }, os?: { os: string[] } }}
 */
function systemOf(name) {
  const words = name.split('-');
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  const libc = /musl/.test(name) ? ['musl'] : /gnu/.test(name) ? ['glibc'] : [];
  return {
    ...(cpu.length > 0 && { cpu: { cpu } }),
    ...(libc.length > 0 && { libc: { libc } }),
    ...(os.length > 0 && { os: { os } }),
  };
}

/** @param {string} path */
function complete(path) {
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const all = { ...lock.packages, ...missingOptionals(lock.packages) };
  lock.packages = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) complete(join(dirname(self), '..', 'package-lock.json'));
