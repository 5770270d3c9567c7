import { isatty } from 'node:tty';
import { CLIENT_OPTIONS } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { findEndpoint } from './endpoint.ts';
import { runLineMode } from './line-mode.ts';
import { COMMON_FLAGS, INPUT_FLAGS, inputForm } from './pipe-flags.ts';
import { type Flag, flagsOf, type Verb, type VerbInput } from './verb.ts';

const PUBLISH: Flag = {
  name: 'publish',
  help: 'Send to everybody who follows you, instead of a room.',
  conflicts: ['to', 'room'],
};
const STDIN_FORMS = ['message', 'null', 'ndjson'];

/** `bcast send`: one message from the command line, or stdin; exits 0 only when all of it was stored. */
export const send: Verb = {
  args: [
    {
      name: 'MESSAGE',
      help: 'What to say; its words are joined by blanks. Without it stdin is sent.',
      isVariadic: true,
    },
  ],
  flags: [...flagsOf(CLIENT_OPTIONS), ...INPUT_FLAGS, PUBLISH, ...COMMON_FLAGS],
  examples: [
    ['bcast send -r builds "deployed $VERSION"', 'one message'],
    ['make 2>&1 | bcast send -r builds', 'every line a message'],
    ['bcast send --to alice --message <report.txt', 'a file as one message, to one person'],
    ['bcast send --publish "2.0 is out"', 'to everybody who follows you'],
  ],
  notes: 'Nothing in a message is ever interpreted. Exit codes: docs/PIPE.md.',
  async run(input) {
    const words = input.args;
    checkUsage(input);
    const endpoint = findEndpoint(input, undefined);
    return runLineMode(input, endpoint, {
      input: words.length > 0 ? { message: words.join(' ') } : { form: inputForm(input), stay: false },
    });
  },
};

function checkUsage({ args, flags, lists }: VerbInput): void {
  const form = STDIN_FORMS.find((name) => flags[name] !== undefined);
  if (args.length > 0 && form !== undefined) {
    throw new BcastError('USAGE', { text: `--${form} is about stdin, which is not read when a MESSAGE is given.` });
  }
  if (args.length === 0 && isatty(0)) {
    throw new BcastError('USAGE', { text: 'There is nothing to send: give a MESSAGE, or pipe something in.' });
  }
  if ((lists['room']?.length ?? 0) > 1) {
    throw new BcastError('USAGE', { text: 'A message goes to one room: give -r once.' });
  }
  if (flags['to'] !== undefined && flags['room'] !== undefined) {
    throw new BcastError('USAGE', { text: 'A message goes to a room or to a person: give -r or --to.' });
  }
}
