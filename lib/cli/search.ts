import { CLIENT_OPTIONS } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { findEndpoint } from './endpoint.ts';
import { runLineMode } from './line-mode.ts';
import { COMMON_FLAGS, SEARCH_FLAGS, searchOptions } from './pipe-flags.ts';
import { flagsOf, type Verb, type VerbInput } from './verb.ts';

/** `bcast search`: prints the messages of a room that have all of these words. */
export const search: Verb = {
  args: [
    { name: 'WORDS', help: 'What to look for: all of them, each whole or as the beginning of one.', isVariadic: true },
  ],
  flags: [...flagsOf(CLIENT_OPTIONS), ...SEARCH_FLAGS, ...COMMON_FLAGS],
  examples: [
    ['bcast search -r builds deploy failed', 'the newest messages that have both words'],
    ['bcast search -r builds error --json | jq -r .body', 'for programs'],
    ['bcast search -r builds error --before 4711', 'older ones'],
  ],
  notes: 'How far back the server looked is said on stderr. Exit codes and the keys of --json: docs/PIPE.md.',
  async run(input) {
    const words = wordsOf(input);
    return runLineMode(input, findEndpoint(input, undefined), { search: searchOptions(input, words) });
  },
};

function wordsOf({ args, lists }: VerbInput): string {
  const words = args.join(' ').trim();
  if (words === '') throw new BcastError('USAGE', { text: 'There is nothing to look for: give one word or more.' });
  if ((lists['room']?.length ?? 0) > 1)
    throw new BcastError('USAGE', { text: 'A search is in one room: give -r once.' });
  return words;
}
