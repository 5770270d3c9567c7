import { resolve } from 'node:path';
import { readEnvironment } from '../config/environment.ts';
import { BcastError } from '../errors.ts';
import { print } from './admin.ts';
import { askServer, findServer, WHICH_FLAGS } from './admin-client.ts';
import { formatBytes } from './table.ts';
import type { Verb } from './verb.ts';

/** `bcast backup`: a copy of all that a running server keeps, of this moment. */
export const backup: Verb = {
  args: [{ name: 'FILE', help: 'a file that is not there yet' }],
  flags: [...WHICH_FLAGS, { name: 'json', help: 'As one JSON object.' }],
  examples: [['bcast backup bcast-today.db', 'while the server goes on']],
  notes: 'The server key is not in it: it is a file of its own, see docs/OPERATIONS.md.',
  async run({ args: [file, ...more], flags }) {
    if (file === undefined || more.length > 0)
      throw new BcastError('USAGE', { text: 'Name one file: bcast backup FILE' });
    const server = findServer(flags, readEnvironment().directories);
    // The server may have been started in another directory.
    const written = await askServer(server, 'backup', { path: resolve(file) });
    print({ text: [`${written.path}: ${formatBytes(written.bytes)}`], json: [written] }, flags['json'] !== undefined);
    return 0;
  },
};
