import { CLIENT_OPTIONS } from '../config/options.ts';
import { findEndpoint } from './endpoint.ts';
import { runLineMode } from './line-mode.ts';
import { COMMON_FLAGS, OUTPUT_FLAGS, outputOptions } from './pipe-flags.ts';
import { flagsOf, type Verb } from './verb.ts';

/** `bcast tail`: prints what is said, and never reads stdin. */
export const tail: Verb = {
  args: [{ name: 'URL', help: 'The server, and perhaps the room: bcast://HOST[:PORT][/ROOM]' }],
  flags: [...flagsOf(CLIENT_OPTIONS), ...OUTPUT_FLAGS, ...COMMON_FLAGS],
  examples: [
    ['bcast tail -r builds', 'follow a room'],
    ['bcast tail -r builds --last 20 --no-follow', 'the last 20 messages'],
    ['bcast tail --json | jq -r \'select(.from=="ci").body\'', 'for programs'],
    ['bcast tail -n 1 --timeout 5m || alarm', 'wait for one message, but not for ever'],
  ],
  notes: 'Exit codes and the keys of --json: docs/PIPE.md.',
  async run(input) {
    const endpoint = findEndpoint(input, input.args[0]);
    return runLineMode(input, endpoint, { output: outputOptions(input) });
  },
};
