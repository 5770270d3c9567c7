import { sanitiseLine } from '../client/sanitise.ts';
import { readEnvironment } from '../config/environment.ts';
import { BcastError } from '../errors.ts';
import { askServer, findServer, WHICH_FLAGS } from './admin-client.ts';
import { ADMIN_OPERATIONS, type Asker, type Output } from './admin-operations.ts';
import type { Verb } from './verb.ts';

const NAMES = Object.keys(ADMIN_OPERATIONS);

/** `bcast admin`: what the operator asks of a running server, over its local socket. */
export const admin: Verb = {
  args: [
    { name: 'OPERATION', help: `one of ${NAMES.join(', ')}`, choices: NAMES },
    { name: 'ARGUMENT', help: 'what the operation wants to know', isVariadic: true },
  ],
  flags: [
    ...WHICH_FLAGS,
    { name: 'limit', placeholder: 'N', help: 'At most so many rooms or sessions, up to 10,000. [1000]' },
    { name: 'json', help: 'For programs: one JSON object a line.' },
  ],
  examples: Object.values(ADMIN_OPERATIONS).flatMap(({ examples }) => examples),
  notes: `Operations:\n${operationList()}\n
The server is the one this account runs on this machine. Nobody else can ask it.`,
  async run({ args: [name, ...words], flags }) {
    const operation = name !== undefined && Object.hasOwn(ADMIN_OPERATIONS, name) ? ADMIN_OPERATIONS[name] : undefined;
    if (operation === undefined) throw unknown(name);
    const { usage } = operation;
    if (usage === '' && words.length > 0)
      throw new BcastError('USAGE', { text: `bcast admin ${name} takes no arguments.` });
    // Looked up only when there is something to ask: a mistake is one with or without a server.
    const ask: Asker = (op, args) => askServer(findServer(flags, readEnvironment().directories), op, args);
    print(await operation.run(ask, words, flags), flags['json'] !== undefined);
    return 0;
  },
};

/** Prints what an operation gave, as text or as lines of JSON. */
export function print({ text, json }: Output, isJson: boolean): void {
  const lines = isJson ? json.map((value) => JSON.stringify(value)) : text.map(sanitiseLine);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

function operationList(): string {
  const entries = Object.entries(ADMIN_OPERATIONS).map(([name, { usage, summary }]) => [`${name} ${usage}`, summary]);
  const width = Math.max(...entries.map(([head = '']) => head.length));
  return entries.map(([head = '', summary]) => `  ${head.padEnd(width)}  ${summary}`).join('\n');
}

function unknown(name: string | undefined): BcastError {
  const said = name === undefined ? 'Say what to do' : `There is no operation ${name}`;
  return new BcastError('USAGE', { text: `${said}: ${NAMES.join(', ')}. \`bcast help admin\` explains them.` });
}
