import { CLIENT_OPTIONS } from '../config/options.ts';
import { findEndpoint } from './endpoint.ts';
import { runLineMode } from './line-mode.ts';
import { COMMON_FLAGS, HISTORY_FLAGS, historyOptions } from './pipe-flags.ts';
import { flagsOf, type Verb } from './verb.ts';

/** `bcast history`: prints what was said, and ends. */
export const history: Verb = {
  args: [{ name: 'URL', help: 'The server, and perhaps the room: bcast://HOST[:PORT][/ROOM]' }],
  flags: [...flagsOf(CLIENT_OPTIONS), ...HISTORY_FLAGS, ...COMMON_FLAGS],
  examples: [
    ['bcast history -r builds', 'all that the server keeps of a room'],
    ['bcast history -r builds --since 2h --json', 'the last two hours, for programs'],
    ['bcast history -r builds --before 120 --last 20', 'messages 100 to 119'],
  ],
  notes: 'It is `bcast tail --no-follow` with an end. Exit codes and the keys of --json: docs/PIPE.md.',
  async run(input) {
    return runLineMode(input, findEndpoint(input, input.args[0]), { output: historyOptions(input) });
  },
};
