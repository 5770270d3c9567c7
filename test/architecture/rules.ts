import { posix } from 'node:path';
import { type Import, type ModuleFacts, readModule } from './read-module.ts';

/** Globs over paths from the root: `*` within one directory, `**` across them. The first row that matches counts. */
export interface Architecture {
  /** What each part may import besides itself and the kernel. A file no row matches is a violation. */
  readonly mayImport: readonly (readonly [part: string, allowed: readonly string[]])[];
  /** Everything may import it. */
  readonly kernel: string;
  /** No `node:*` and no globals of time, randomness or the process: these parts take them as parameters. */
  readonly pure: readonly string[];
  /** Where a package or builtin may be imported at all. */
  readonly doors: readonly (readonly [specifier: string, door: string])[];
  /** Where a member of `process` may be read. */
  readonly processMembers: readonly (readonly [member: string, places: readonly string[]])[];
  /** Where time, timers and randomness are taken from the system. */
  readonly clocks: readonly string[];
  /** Names that say nothing. */
  readonly bannedName: RegExp;
  readonly maxLines: number;
}

/** Paths from the root to their text. */
export type Sources = ReadonlyMap<string, string>;

const CLOCK_GLOBALS = ['Date.now', 'new Date()', 'performance.now', 'setTimeout', 'setInterval'];
const IMPURE_GLOBALS = [...CLOCK_GLOBALS, 'setImmediate', 'Math.random', 'process', 'console'];

type Check = (modules: readonly ModuleFacts[], architecture: Architecture) => string[];

const CHECKS: readonly Check[] = [
  layers,
  circles,
  purity,
  doors,
  onePlaceAPackage,
  processMembers,
  clocks,
  shape,
  names,
];

/** Every violation as a line for people; none for a tree that keeps the rules. */
export function violations(sources: Sources, architecture: Architecture): string[] {
  const modules = [...sources].map(([path, source]) => readModule(path, source));
  return CHECKS.flatMap((check) => check(modules, architecture));
}

/** The files that `module` imports, as paths from the root. */
export function localImports(module: ModuleFacts, isWanted: (each: Import) => boolean = () => true): string[] {
  return module.imports
    .filter((each) => each.specifier.startsWith('.') && isWanted(each))
    .map(({ specifier }) => posix.join(posix.dirname(module.path), specifier));
}

function layers(modules: readonly ModuleFacts[], { mayImport, kernel }: Architecture): string[] {
  const known = new Set(modules.map(({ path }) => path));
  return modules.flatMap((module) => {
    const row = mayImport.find(([part]) => matches(module.path, part));
    if (row === undefined) return [`${module.path} belongs to no part of the table`];
    const [part, allowed] = row;
    const isAllowed = (target: string) => [part, kernel, ...allowed].some((glob) => matches(target, glob));
    return [
      ...module.imports
        .filter(({ specifier }) => specifier === '(computed)')
        .map(() => `${module.path} imports a computed name`),
      ...localImports(module).flatMap((target) => {
        if (!known.has(target)) return [`${module.path} imports ${target}, which is not a source`];
        return isAllowed(target) ? [] : [`${module.path} may not import ${target}`];
      }),
    ];
  });
}

/**
 * Of what is loaded when the program runs. Types that know each other (a room its members, a member its room) load
 * nothing; between parts, where they would matter, the table forbids them as it does everything else.
 */
function circles(modules: readonly ModuleFacts[]): string[] {
  const targets = new Map(modules.map((module) => [module.path, localImports(module, ({ isType }) => !isType)]));
  const done = new Set<string>();
  const found: string[] = [];
  function follow(path: string, trail: readonly string[]): void {
    const at = trail.indexOf(path);
    if (at >= 0) found.push(`circle: ${[...trail.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) follow(target, [...trail, path]);
    done.add(path);
  }
  for (const path of targets.keys()) follow(path, []);
  return found;
}

function purity(modules: readonly ModuleFacts[], { pure }: Architecture): string[] {
  return modules
    .filter(({ path }) => pure.some((glob) => matches(path, glob)))
    .flatMap(({ path, imports, globals }) => [
      ...imports
        .filter(({ specifier }) => isBuiltin(specifier))
        .map(({ specifier }) => `${path} is pure and imports ${specifier}`),
      ...IMPURE_GLOBALS.filter((name) => globals.has(name)).map((name) => `${path} is pure and uses ${name}`),
    ]);
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:');
}

function doors(modules: readonly ModuleFacts[], architecture: Architecture): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier }) => {
      const row = architecture.doors.find(([name]) => name === packageOf(specifier));
      if (row === undefined || matches(path, row[1])) return [];
      return [`${path} imports ${specifier}, whose only door is ${row[1]}`];
    }),
  );
}

function onePlaceAPackage(modules: readonly ModuleFacts[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const { path, imports } of modules) {
    for (const { specifier } of imports) {
      if (specifier.startsWith('.') || isBuiltin(specifier)) continue;
      const name = packageOf(specifier);
      places.set(name, (places.get(name) ?? new Set()).add(path));
    }
  }
  return [...places]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name} is imported in more than one place: ${[...paths].join(', ')}`);
}

/** `@noble/hashes/sha2.js` is in `@noble/hashes`; builtins are their own package. */
function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function processMembers(modules: readonly ModuleFacts[], architecture: Architecture): string[] {
  return modules.flatMap((module) =>
    architecture.processMembers
      .filter(([member]) => module.processMembers.has(member))
      .filter(([, places]) => !places.some((glob) => matches(module.path, glob)))
      .map(([member, places]) => `${module.path} reads process.${member}; only ${places.join(' and ')} may`),
  );
}

function clocks(modules: readonly ModuleFacts[], architecture: Architecture): string[] {
  return modules
    .filter(({ path }) => !architecture.clocks.some((glob) => matches(path, glob)))
    .flatMap(({ path, globals }) =>
      CLOCK_GLOBALS.filter((name) => globals.has(name)).map((name) => `${path} uses ${name}; time comes from Clock`),
    );
}

function shape(modules: readonly ModuleFacts[], { maxLines }: Architecture): string[] {
  return modules.flatMap(({ path, hasDefaultExport, isBarrel, exportsAll, lineCount }) => [
    ...(hasDefaultExport ? [`${path} has a default export`] : []),
    ...(isBarrel || exportsAll ? [`${path} passes on what others export`] : []),
    ...(lineCount > maxLines ? [`${path} has ${lineCount} lines, more than ${maxLines}`] : []),
  ]);
}

function names(modules: readonly ModuleFacts[], { bannedName }: Architecture): string[] {
  return modules
    .filter(({ path }) => path.split('/').some((part) => bannedName.test(part.replace(/\.m?[jt]s$/, ''))))
    .map(({ path }) => `${path} has a name that says nothing`);
}

/** `*` is any name, `**` any path; braces are alternatives. */
function matches(path: string, glob: string): boolean {
  const pattern = glob
    .replaceAll(/[.+()[\]]/g, '\\$&')
    .replaceAll(/\{([^}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(',', '|')})`)
    .replaceAll(/\*{1,2}/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  return new RegExp(`^${pattern}$`).test(path);
}
