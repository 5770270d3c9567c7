import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readModule } from './architecture/read-module.ts';
import { type Architecture, localImports, type Sources, violations } from './architecture/rules.ts';

const root = join(import.meta.dirname, '..');

/** What both wings are built on. */
const BELOW = ['lib/wire/**', 'lib/protocol/**', 'lib/config/**'];

const ARCHITECTURE: Architecture = {
  kernel: 'lib/*.ts',
  mayImport: [
    // part                       may import, besides itself and the kernel
    ['bin/bcast.ts', ['lib/cli/main.ts']],
    ['lib/*.ts', []],
    ['lib/wire/**', []],
    ['lib/protocol/**', []],
    ['lib/config/**', []],

    ['lib/server/hub/**', BELOW],
    ['lib/server/session/**', ['lib/server/hub/**', ...BELOW]],
    ['lib/server/redis/**', ['lib/server/hub/ports.ts', ...BELOW]],
    ['lib/server/store/**', ['lib/server/hub/ports.ts', 'lib/server/redis/**', ...BELOW]],
    ['lib/server/backplane/**', ['lib/server/hub/ports.ts', 'lib/server/redis/**', ...BELOW]],
    ['lib/server/gateway/**', ['lib/server/session/**', 'lib/server/hub/**', ...BELOW]],
    ['lib/server/admission.ts', ['lib/server/hub/**', ...BELOW]],
    ['lib/server/admin/**', ['lib/server/session/**', 'lib/server/hub/**', ...BELOW]],
    ['lib/server/proxy/**', ['lib/server/hub/address.ts', ...BELOW]],
    ['lib/server/listener.ts', ['lib/server/{admission,proxy/*}.ts', 'lib/server/session/**', ...BELOW]],
    ['lib/server/*.ts', ['lib/server/**', ...BELOW]],

    ['lib/client/sealed/**', BELOW],
    ['lib/client/pipe/**', ['lib/client/*.ts', ...BELOW]],
    ['lib/client/tui/program.ts', ['lib/client/*.ts', 'lib/client/tui/**', ...BELOW]],
    ['lib/client/tui/**', ['lib/client/events.ts', 'lib/client/sanitise.ts', ...BELOW]],
    ['lib/client/*.ts', ['lib/client/sealed/**', ...BELOW]],

    ['lib/cli/**', ['lib/server/**', 'lib/client/**', 'lib/config/**']],
  ],
  pure: [
    'lib/wire/*.ts',
    'lib/wire/noise/**',
    'lib/wire/crypto/{port,portable}.ts',
    'lib/protocol/**',
    'lib/server/hub/**',
    'lib/client/tui/{state,update,input,keymap,format}*',
  ],
  doors: [
    ['node:crypto', 'lib/wire/crypto/**'],
    ['sodium-native', 'lib/wire/crypto/**'],
    ['tweetnacl', 'lib/wire/crypto/**'],
    ['@noble/ciphers', 'lib/wire/crypto/**'],
    ['@noble/hashes', 'lib/wire/crypto/**'],
    ['@noble/post-quantum', 'lib/wire/crypto/**'],
    ['blessed', 'lib/client/tui/view.ts'],
    ['ts-mls', 'lib/client/sealed/**'],
    ['ioredis', 'lib/server/redis/connection.ts'],
    ['dotenv', 'lib/config/**'],
    ['commander', 'lib/cli/**'],
    ['pino', 'lib/log.ts'],
    ['pino-pretty', 'lib/log.ts'],
  ],
  processMembers: [
    // The launcher runs under a Node that is too old to load the configuration.
    ['env', ['lib/config/**', 'lib/cli/{runtime,follow-launcher,follow-npx}.mjs']],
    ['argv', ['lib/cli/**']],
  ],
  clocks: ['lib/clock.ts', 'lib/cli/*.mjs'],
  bannedName: /^(index|types?|common|shared|misc|utils?|helpers?|managers?)$|[-.](types?|utils?|helpers?|managers?)$/,
  maxLines: 400,
};

function readTree(...dirs: readonly string[]): Sources {
  const paths = dirs.flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.m?[jt]s$/.test(entry.name))
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll('\\', '/'),
      ),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

describe('the sources', () => {
  const sources = readTree('bin', 'lib');

  test('keep the rules of the house', () => {
    expect(violations(sources, ARCHITECTURE)).toEqual([]);
  });

  test('were read, and their imports seen', () => {
    const modules = [...sources].map(([path, source]) => readModule(path, source));
    const bin = modules.find(({ path }) => path === 'bin/bcast.ts');
    expect(bin && localImports(bin)).toEqual(['lib/cli/main.ts']);
    expect(modules.flatMap((module) => localImports(module)).length).toBeGreaterThan(modules.length);
  });
});

describe('a planted violation is found', () => {
  const fine: Record<string, string> = {
    'bin/bcast.ts': `import { main } from '../lib/cli/main.ts'; await main();`,
    'lib/errors.ts': 'export const ERRORS = {};',
    'lib/wire/crypto/port.ts': 'export const port = 1;',
    'lib/wire/crypto/native.ts': `import { hash } from 'node:crypto'; export const sha = (b: string) => hash('sha256', b);`,
    'lib/wire/frame.ts': `import { ERRORS } from '../errors.ts'; export const frame = ERRORS;`,
    'lib/protocol/codec.ts': `import { ERRORS } from '../errors.ts'; export const codec = ERRORS;`,
    'lib/config/load.ts': 'export const load = () => process.env;',
    'lib/server/hub/ports.ts': 'export type Store = object;',
    'lib/server/store/memory.ts': `import type { Store } from '../hub/ports.ts'; export const store: Store = {};`,
    'lib/server/server.ts': `import { store } from './store/memory.ts'; export const run = () => store;`,
    'lib/client/client.ts': `import { frame } from '../wire/frame.ts'; export const connect = () => frame;`,
    'lib/client/tui/update.ts': 'export const update = 1;',
    'lib/cli/main.ts': `export const main = async () => await import('../server/server.ts');`,
  };
  const plant = (planted: Record<string, string>) =>
    violations(new Map(Object.entries({ ...fine, ...planted })), ARCHITECTURE);

  test('and none where there is none', () => {
    expect(plant({})).toEqual([]);
  });

  test.each([
    // rule, file, source, what is said
    ['the wings', 'lib/client/client.ts', `import '../server/server.ts';`, 'may not import lib/server/server.ts'],
    ['the wings, by a type', 'lib/server/server.ts', `import type { A } from '../client/client.ts';`, 'may not import'],
    ['the wings, inside a type', 'lib/server/server.ts', `let a: import('../client/client.ts').A;`, 'may not import'],
    ['the wings, lazily', 'lib/server/server.ts', `await import('../client/client.ts');`, 'may not import'],
    ['the wings, lazily by template', 'lib/server/server.ts', 'await import(`../client/client.ts`);', 'may not import'],
    ['the wings, passed on', 'lib/server/server.ts', `export { A } from '../client/client.ts';`, 'may not import'],
    [
      'wire and protocol',
      'lib/wire/frame.ts',
      `import '../protocol/codec.ts';`,
      'may not import lib/protocol/codec.ts',
    ],
    ['protocol and wire', 'lib/protocol/codec.ts', `import '../wire/frame.ts';`, 'may not import lib/wire/frame.ts'],
    ['the kernel', 'lib/errors.ts', `import './wire/frame.ts';`, 'may not import lib/wire/frame.ts'],
    [
      'stores and the hub',
      'lib/server/store/memory.ts',
      `import '../server.ts';`,
      'may not import lib/server/server.ts',
    ],
    [
      'the hub and its stores',
      'lib/server/hub/hub.ts',
      `import '../store/memory.ts';`,
      'may not import lib/server/store',
    ],
    ['the screen', 'lib/client/tui/update.ts', `import '../client.ts';`, 'may not import lib/client/client.ts'],
    ['the binary', 'bin/bcast.ts', `import '../lib/server/server.ts';`, 'may not import lib/server/server.ts'],
    ['tests in lib', 'lib/wire/frame.ts', `import '../../test/x.ts';`, 'is not a source'],
    ['a computed import', 'lib/cli/main.ts', 'await import(process.argv[2]);', 'imports a computed name'],
    ['a part without a row', 'lib/attic/x.ts', 'export const x = 1;', 'belongs to no part'],
    ['purity', 'lib/wire/frame.ts', `import type { Socket } from 'node:net';`, 'is pure and imports node:net'],
    [
      'purity of the hub',
      'lib/server/hub/hub.ts',
      `import { join } from 'node:path';`,
      'is pure and imports node:path',
    ],
    ['purity of time', 'lib/wire/noise/cipher-state.ts', 'export const t = new Date();', 'is pure and uses new Date()'],
    ['purity of chance', 'lib/protocol/codec.ts', 'export const r = Math.random();', 'is pure and uses Math.random'],
    ['purity of place', 'lib/wire/channel.ts', 'export const p = process.pid;', 'is pure and uses process'],
    [
      'the doors',
      'lib/client/known-hosts.ts',
      `import { hash } from 'node:crypto';`,
      'whose only door is lib/wire/crypto',
    ],
    ['the doors, by require', 'lib/cli/a.ts', `createRequire(import.meta.url)('tweetnacl');`, 'whose only door is'],
    [
      'the screen library',
      'lib/client/tui/program.ts',
      `import 'blessed';`,
      'whose only door is lib/client/tui/view.ts',
    ],
    ['the environment', 'lib/server/server.ts', 'export const e = process.env.HOME;', 'reads process.env'],
    ['the environment, taken apart', 'lib/cli/a.ts', 'const { env } = process;', 'reads process.env'],
    ['the environment, computed', 'lib/cli/a.ts', `globalThis.process['env'];`, 'reads process.env'],
    ['the environment, imported', 'lib/cli/a.ts', `import { env as e } from 'node:process';`, 'reads process.env'],
    ['the arguments', 'lib/config/load.ts', 'export const a = process.argv;', 'reads process.argv'],
    ['clocks', 'lib/server/server.ts', 'setTimeout(() => {}, 1);', 'uses setTimeout'],
    ['clocks, read', 'lib/client/client.ts', 'export const now = () => Date.now();', 'uses Date.now'],
    ['default exports', 'lib/cli/a.ts', 'export default 1;', 'has a default export'],
    ['default exports, by name', 'lib/cli/a.ts', 'const a = 1; export { a as default };', 'has a default export'],
    ['barrels', 'lib/cli/a.ts', `export { main } from './main.ts';`, 'passes on what others export'],
    [
      'barrels of all',
      'lib/cli/a.ts',
      `export const b = 1; export * from './main.ts';`,
      'passes on what others export',
    ],
    ['barrels in two steps', 'lib/cli/a.ts', `import { main } from './main.ts'; export { main };`, 'passes on'],
    ['names', 'lib/protocol/utils.ts', 'export const a = 1;', 'a name that says nothing'],
    ['names of folders', 'lib/client/helpers/a.ts', 'export const a = 1;', 'a name that says nothing'],
    ['names of kinds', 'lib/server/session-manager.ts', 'export const a = 1;', 'a name that says nothing'],
    ['length', 'lib/cli/a.ts', 'export {};\n'.repeat(400), 'has 401 lines'],
  ])('%s', (_rule, path, source, said) => {
    const found = plant({ [path]: source });
    expect(found).toContainEqual(expect.stringContaining(said));
    expect(found).toContainEqual(expect.stringContaining(path));
  });

  test.each([
    ['circles', `import { b } from './b.ts';`],
    ['circles by a lazy import', `const { b } = await import('./b.ts');`],
    ['circles by what is left of inline types', `import { type b } from './b.ts';`],
  ])('%s', (_rule, importB) => {
    const found = plant({
      'lib/protocol/a.ts': `${importB} export const a = 1;`,
      'lib/protocol/b.ts': `import { c } from './c.ts'; export const b = c;`,
      'lib/protocol/c.ts': `import { a } from './a.ts'; export const c = a;`,
    });
    expect(found).toEqual(['circle: lib/protocol/a.ts -> lib/protocol/b.ts -> lib/protocol/c.ts -> lib/protocol/a.ts']);
  });

  test('one place a package', () => {
    const found = plant({
      'lib/cli/a.ts': `import 'commander';`,
      'lib/cli/b.ts': `import type { Command } from 'commander';`,
    });
    expect(found).toEqual(['commander is imported in more than one place: lib/cli/a.ts, lib/cli/b.ts']);
  });
});

describe('what is no violation', () => {
  test.each([
    [
      'a word in a comment or a string',
      `// import '../server/server.ts'\nexport const s = "import '../server/server.ts'";`,
    ],
    [
      'a member that is called like a global',
      'export const f = (o: { process: number; console: number }) => o.process + o.console;',
    ],
    ['a moment that is given', 'export const d = (ms: number) => new Date(ms).toISOString();'],
  ])('%s', (_what, source) => {
    expect(violations(new Map([['lib/protocol/a.ts', source]]), ARCHITECTURE)).toEqual([]);
  });

  test('types that know each other', () => {
    const sources = new Map([
      ['lib/protocol/a.ts', `import type { B } from './b.ts'; export type A = B;`],
      ['lib/protocol/b.ts', `import type { A } from './a.ts'; export type B = A;`],
    ]);
    expect(violations(sources, ARCHITECTURE)).toEqual([]);
  });
});
