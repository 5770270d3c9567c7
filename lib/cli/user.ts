import { readFileSync } from 'node:fs';
import { sanitiseLine } from '../client/sanitise.ts';
import { type Environment, readEnvironment, readSources } from '../config/environment.ts';
import type { ServerConfig } from '../config/live-config.ts';
import { loadOptions } from '../config/load.ts';
import { localServers } from '../config/local-server.ts';
import { CLIENT_OPTIONS, type ClientOptions, SERVER_OPTIONS, type ServerOptions } from '../config/options.ts';
import { BcastError, ERRORS } from '../errors.ts';
import type { OperationArguments, OperationName, OperationResult } from '../server/admin/operations.ts';
import { print } from './admin.ts';
import { askServer, findServer, WHICH_FLAGS } from './admin-client.ts';
import type { Asker, Output } from './admin-operations.ts';
import { secretOf } from './secrets.ts';
import { formatMany, formatMoment, renderTable } from './table.ts';
import { newPassword } from './terminal-questions.ts';
import { parseUsers } from './user-csv.ts';
import { flagsOf, type Verb, type VerbInput } from './verb.ts';

interface UserOperation {
  readonly usage: string;
  readonly summary: string;
  /** Throws USAGE. */
  run(ask: Asker, words: readonly string[], input: VerbInput): Promise<Output>;
}

const OPERATIONS: Readonly<Record<string, UserOperation>> = {
  list: {
    usage: '',
    summary: 'Every registered name.',
    async run(ask, words) {
      requireWords(words, 0, 'list');
      const users = await ask('users', {});
      return { text: users.length === 0 ? ['Nobody is registered.'] : tableOf(users), json: users };
    },
  },
  add: {
    usage: 'NAME',
    summary: 'Register a name, with a password or (--key) a fingerprint to enter by.',
    async run(ask, words, { flags }) {
      const [name] = requireWords(words, 1, 'add');
      const fingerprint = flags['key'] ?? null;
      const password = fingerprint === null ? await passwordFor(name, flags) : null;
      const role = flags['admin'] === undefined ? 'user' : 'admin';
      const user = await ask('addUser', { name, password, fingerprint, role });
      return { text: [`${user.name} is registered${role === 'admin' ? ', as an admin' : ''}.`], json: [user] };
    },
  },
  remove: {
    usage: 'NAME',
    summary: 'Give a name free; whoever is connected under it must go.',
    async run(ask, words) {
      const [name] = requireWords(words, 1, 'remove');
      const removed = await ask('removeUser', { name });
      return { text: [`${removed.name} is no longer registered.`], json: [removed] };
    },
  },
  passwd: {
    usage: 'NAME',
    summary: 'Set a password.',
    async run(ask, words, { flags }) {
      const [name] = requireWords(words, 1, 'passwd');
      const user = await ask('setUserPassword', { name, password: await passwordFor(name, flags) });
      return { text: [`${user.name} has a new password.`], json: [user] };
    },
  },
  role: {
    usage: 'NAME user|admin',
    summary: 'Make somebody an admin of the network, or a plain user again.',
    async run(ask, words) {
      const [name, role] = requireWords(words, 2, 'role');
      if (role !== 'user' && role !== 'admin') throw usage('role');
      const user = await ask('setUserRole', { name, role });
      return { text: [`${user.name} is ${role === 'admin' ? 'an admin' : 'a plain user'} now.`], json: [user] };
    },
  },
  import: {
    usage: 'FILE.csv',
    summary: 'Register many: the first line names the columns name, password, fingerprint, role.',
    async run(ask, words) {
      const [file] = requireWords(words, 1, 'import');
      const imported = await ask('importUsers', { users: parseUsers(readText(file)) });
      const { added, refused } = imported;
      const text = [`${formatMany(added.length, 'user')} registered.`];
      const exitCode = refused.length === 0 ? 0 : ERRORS.LINES_REJECTED.exit;
      return {
        text: [...text, ...refused.map(({ name, reason }) => `not ${name}: ${reason}`)],
        json: [imported],
        exitCode,
      };
    },
  },
};

const NAMES = Object.keys(OPERATIONS);

/** `bcast user`: who is registered. On the running server of this account, or where none runs, in its store. */
export const user: Verb = {
  args: [
    { name: 'OPERATION', help: `one of ${NAMES.join(', ')}`, choices: NAMES },
    { name: 'ARGUMENT', help: 'what the operation wants to know', isVariadic: true },
  ],
  flags: [
    ...WHICH_FLAGS,
    ...flagsOf({ dataDir: SERVER_OPTIONS.dataDir }),
    { name: 'password-file', placeholder: 'FILE', help: 'A file with the new password, for add and passwd.' },
    { name: 'key', placeholder: 'SHA256:...', help: 'The fingerprint that bcast whoami shows to the new user.' },
    { name: 'admin', help: 'The new user may do everything.' },
    { name: 'json', help: 'For programs: one JSON object a line.' },
  ],
  examples: [
    ['bcast user add alice', 'asks for a password'],
    ['bcast user add bob --key SHA256:...', 'enters by his key alone'],
    ['bcast user import team.csv', 'many at once'],
    ['bcast user list', 'who is registered'],
  ],
  notes: `Operations:\n${operationList()}\n
Passwords are asked for, or come from --password-file or BCAST_PASSWORD; never from the command line, which others can read.
With --data-dir, or where no server of yours runs, the store itself is changed.`,
  async run(input, { version }) {
    const [name, ...words] = input.args;
    const operation = name !== undefined && Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (operation === undefined) {
      const said = name === undefined ? 'Say what to do' : `There is no operation ${name}`;
      throw new BcastError('USAGE', { text: `${said}: ${NAMES.join(', ')}. \`bcast help user\` explains them.` });
    }
    const output = await operation.run(askerFor(input.flags, version), words, input);
    print(output, input.flags['json'] !== undefined);
    return output.exitCode ?? 0;
  },
};

/** Asks the running server, or opens the store where there is none. */
function askerFor(flags: VerbInput['flags'], version: string): Asker {
  const environment = readEnvironment();
  const isOffline = flags['data-dir'] !== undefined || localServers(environment.directories).length === 0;
  if (!isOffline) return (op, args) => askServer(findServer(flags, environment.directories), op, args);
  return async <N extends OperationName>(op: N, args: OperationArguments<N>): Promise<OperationResult<N>> => {
    const [{ withAccounts }, { ACCOUNT_OPERATIONS }, { createLogger }] = await Promise.all([
      import('../server/offline.ts'),
      import('../server/admin/people.ts'),
      import('../log.ts'),
    ]);
    const log = createLogger('warn', process.stderr);
    const perform = ACCOUNT_OPERATIONS[op as keyof typeof ACCOUNT_OPERATIONS];
    const config = configOf(flags, environment, version);
    // Without a server to ask, a wrong directory looks like one in which nobody is registered yet.
    if (flags['data-dir'] === undefined) process.stderr.write(`bcast: ${storeInUse(config)}\n`);
    return withAccounts(config, log, (desk) => perform(desk, args as never) as Promise<OperationResult<N>>);
  };
}

function storeInUse({ redisUrl, dataDir }: ServerConfig): string {
  const store = redisUrl === undefined ? dataDir : 'the Redis that redis-url names';
  return `None of your servers runs here: this is what is kept in ${sanitiseLine(store)}.`;
}

function configOf(flags: VerbInput['flags'], environment: Environment, version: string): ServerConfig {
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, readSources(flags, environment));
  return { ...values, dataDir: values.dataDir ?? environment.directories.data, serverName: `bcast ${version}` };
}

async function passwordFor(name: string, flags: VerbInput['flags']): Promise<string> {
  const options = { passwordFile: CLIENT_OPTIONS.passwordFile, password: CLIENT_OPTIONS.password };
  const loaded = loadOptions<ClientOptions>(options, readSources(flags, readEnvironment()));
  const password = secretOf(loaded, 'password') ?? (await newPassword(name));
  if (password !== null) return password;
  throw new BcastError('USAGE', { text: 'A password is needed: --password-file FILE, BCAST_PASSWORD, or a terminal.' });
}

function requireWords<N extends number>(words: readonly string[], count: N, name: string): readonly [string, string] {
  if (words.length !== count) throw usage(name);
  return [words[0] ?? '', words[1] ?? ''];
}

function usage(name: string): BcastError {
  return new BcastError('USAGE', { text: `It is: bcast user ${name} ${OPERATIONS[name]?.usage}` });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BcastError('CONFIG', { text: `${file} cannot be read (${code}).`, cause: error });
  }
}

function tableOf(users: OperationResult<'users'>): string[] {
  return renderTable(
    [
      { title: 'NAME', text: ({ name }) => name },
      { title: 'ROLE', text: ({ role }) => role },
      { title: 'PASSWORD', text: ({ hasPassword }) => (hasPassword ? 'yes' : '') },
      { title: 'LAST SEEN', text: ({ seenMs }) => formatMoment(seenMs) },
      { title: 'KEYS', text: ({ fingerprints }) => fingerprints.join(' ') },
    ],
    users,
  );
}

function operationList(): string {
  const entries = Object.entries(OPERATIONS).map(([name, { usage: words, summary }]) => [`${name} ${words}`, summary]);
  const width = Math.max(...entries.map(([head = '']) => head.length));
  return entries.map(([head = '', summary]) => `  ${head.padEnd(width)}  ${summary}`).join('\n');
}
