import { parseSync } from 'oxc-parser';

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Gone when the program runs. */
  readonly isType: boolean;
}

/** What the rules want to know of one source file. */
export interface ModuleFacts {
  readonly path: string;
  readonly lineCount: number;
  /** Of every kind: static, type-only, re-exported, dynamic, `require` and `import()` types. */
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  /** Has exports, and not one of them is its own. */
  readonly isBarrel: boolean;
  readonly exportsAll: boolean;
  /** Names reached on `process`, however: `process.env`, `const { env } = process`, `import { env } from 'node:process'`. */
  readonly processMembers: ReadonlySet<string>;
  /** Globals used by name, and members of some: `process`, `setTimeout`, `Date.now`, `new Date()`, `Math.random`. */
  readonly globals: ReadonlySet<string>;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Reads the facts from TypeScript or JavaScript text. Throws an Error when it does not parse. */
export function readModule(path: string, source: string): ModuleFacts {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const processMembers = new Set<string>();
  const globals = new Set<string>();
  walk(program as unknown as Node, (node) => {
    for (const specifier of importsOf(node)) imports.push({ specifier, isType: isTypeImport(node) });
    for (const name of processMembersOf(node)) processMembers.add(name);
    for (const name of globalsOf(node)) globals.add(name);
  });
  const body = program.body as unknown as readonly Node[];
  return {
    path,
    lineCount: source.split('\n').length,
    imports,
    hasDefaultExport: body.some((node) => isDefaultExport(node)),
    isBarrel: isBarrel(body),
    exportsAll: body.some((node) => node.type === 'ExportAllDeclaration'),
    processMembers,
    globals,
  };
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const [key, value] of Object.entries(node)) {
    // Names of members and keys are no references: `options.process`, `{ console: 1 }`.
    if ((key === 'property' || key === 'key') && node['computed'] !== true && isNode(value)) continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function importsOf(node: Node): string[] {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return textOf(node['source']);
    case 'CallExpression':
      return isRequire(node['callee']) ? textOf((node['arguments'] as readonly unknown[])[0]) : [];
    default:
      return [];
  }
}

/** `import { type A }` still loads the module (verbatimModuleSyntax), so it is not one. */
function isTypeImport(node: Node): boolean {
  return node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type';
}

/** `require('x')`, `createRequire(import.meta.url)('x')`, `require.resolve('x')`, `import.meta.resolve('x')`. */
function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'CallExpression') return nameOf(callee['callee']) === 'createRequire';
  if (callee.type === 'MemberExpression') return nameOf(callee['property']) === 'resolve' && isLoader(callee['object']);
  return nameOf(callee) === 'require';
}

function isLoader(object: unknown): boolean {
  return nameOf(object) === 'require' || (isNode(object) && object.type === 'MetaProperty');
}

/** A specifier that is computed cannot be checked, so it is reported as one that nothing allows. */
function textOf(source: unknown): string[] {
  if (source === null || source === undefined) return [];
  if (isNode(source) && source.type === 'Literal') return [String(source['value'])];
  if (isNode(source) && source.type === 'TemplateLiteral' && (source['expressions'] as unknown[]).length === 0) {
    const [quasi] = source['quasis'] as readonly { value: { cooked: string } }[];
    return [quasi?.value.cooked ?? ''];
  }
  return ['(computed)'];
}

function processMembersOf(node: Node): string[] {
  if (node.type === 'MemberExpression' && isProcess(node['object'])) return [memberName(node)];
  if (node.type === 'VariableDeclarator' && isProcess(node['init'])) return patternKeys(node['id']);
  if (node.type === 'ImportDeclaration' && /^(node:)?process$/.test(textOf(node['source']).join(''))) {
    const specifiers = node['specifiers'] as readonly Node[];
    return specifiers.flatMap(({ imported }) => nameOf(imported) ?? []);
  }
  return [];
}

/** `process`, `globalThis.process`. */
function isProcess(node: unknown): boolean {
  if (nameOf(node) === 'process') return true;
  return isNode(node) && node.type === 'MemberExpression' && memberName(node) === 'process';
}

function memberName(member: Node): string {
  return nameOf(member['property']) ?? textOf(member['property']).join('');
}

function patternKeys(pattern: unknown): string[] {
  if (!isNode(pattern) || pattern.type !== 'ObjectPattern') return [];
  return (pattern['properties'] as readonly Node[]).map(({ key, type }) =>
    type === 'RestElement' ? '(computed)' : (nameOf(key) ?? textOf(key).join('')),
  );
}

function globalsOf(node: Node): string[] {
  if (node.type === 'Identifier') return [nameOf(node) ?? ''];
  if (node.type === 'MemberExpression') return [`${nameOf(node['object'])}.${memberName(node)}`];
  const isBareDate = node.type === 'NewExpression' && nameOf(node['callee']) === 'Date';
  return isBareDate && (node['arguments'] as readonly unknown[]).length === 0 ? ['new Date()'] : [];
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? (node['name'] as string) : undefined;
}

function isDefaultExport(node: Node): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true;
  const specifiers = (node['specifiers'] ?? []) as readonly Node[];
  return node.type === 'ExportNamedDeclaration' && specifiers.some(({ exported }) => nameOf(exported) === 'default');
}

function isBarrel(body: readonly Node[]): boolean {
  const exports = body.filter(({ type }) => type.startsWith('Export'));
  const imported = new Set(body.flatMap((node) => localImports(node)));
  return exports.length > 0 && exports.every((node) => isReExport(node, imported));
}

function localImports(node: Node): string[] {
  if (node.type !== 'ImportDeclaration') return [];
  return (node['specifiers'] as readonly Node[]).flatMap(({ local }) => nameOf(local) ?? []);
}

/** Also the two-step form, `import { a } from './a.ts'; export { a };`. */
function isReExport(node: Node, imported: ReadonlySet<string>): boolean {
  if (isNode(node['source'])) return true;
  const specifiers = (node['specifiers'] ?? []) as readonly Node[];
  return specifiers.length > 0 && specifiers.every(({ local }) => imported.has(nameOf(local) ?? ''));
}
