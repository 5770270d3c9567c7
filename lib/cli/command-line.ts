import { Argument, Command, CommanderError, Option } from 'commander';
import type { Flag, Verb, VerbInput } from './verb.ts';

const WIDTH_OF_EXAMPLES = 46;

const OVERVIEW: Verb['examples'] = [
  ['bcast start', 'run a server; it prints its URL'],
  ['bcast connect -u alice', 'talk on the server of this machine'],
  ['make 2>&1 | bcast connect -r builds', 'every line becomes a message'],
  ['bcast send -r builds "deployed"', 'one message'],
  ['bcast tail -r builds --json', 'one JSON object for each message'],
];

/** What a parsed command line asks for: a verb to run, or nothing more because help or the version was printed. */
export type Parsed = { readonly verb: Verb; readonly input: VerbInput } | { readonly exitCode: number };

/** Everything the command line knows: each verb's name and summary, and all of those whose flags matter now. */
export interface KnownVerb {
  readonly name: string;
  readonly summary: string;
  /** Absent for a verb that is only listed. */
  readonly verb?: Verb | undefined;
}

/** The word of `args` that names the verb to load: the first that is no flag, or what `help` is asked about. */
export function verbWord(args: readonly string[]): string | undefined {
  const words = args.filter((arg) => !arg.startsWith('-'));
  return words[0] === 'help' ? words[1] : words[0];
}

/** Parses `args` (without node and script). Help goes to stdout, mistakes to stderr with exit code 2. */
export function parseCommandLine(args: readonly string[], version: string, verbs: readonly KnownVerb[]): Parsed {
  const program = new Command('bcast')
    .description('Encrypted broadcast and chat for people and scripts that live in a terminal.')
    .version(version)
    .exitOverride()
    .addHelpText('before', renderExamples(OVERVIEW))
    .addHelpText('after', '\nbcast help VERB explains one of them. Exit codes and the pipe: docs/PIPE.md.');
  let parsed: Parsed = { exitCode: 0 };
  for (const { name, summary, verb } of verbs) {
    const command = program.command(name).description(summary);
    if (verb !== undefined) describeVerb(command, verb, (input) => (parsed = { verb, input }));
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    parsed = { exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  return parsed;
}

function describeVerb(command: Command, verb: Verb, found: (input: VerbInput) => void): void {
  command.addHelpText('before', renderExamples(verb.examples));
  if (verb.notes !== undefined) command.addHelpText('after', `\n${verb.notes}`);
  for (const { name, help, isVariadic } of verb.args) {
    command.addArgument(new Argument(`[${name}${isVariadic === true ? '...' : ''}]`, help));
  }
  for (const flag of verb.flags) command.addOption(optionOf(flag, verb.flags));
  command.action(() => found(inputOf(command, verb)));
}

function optionOf({ name, short, placeholder, help, isRepeatable, conflicts }: Flag, all: readonly Flag[]): Option {
  const long = placeholder === undefined ? `--${name}` : `--${name} <${placeholder}>`;
  const option = new Option(short === undefined ? long : `-${short}, ${long}`, help);
  if (isRepeatable === true) {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  }
  const existing = (conflicts ?? []).filter((other) => all.some((flag) => flag.name === other));
  return option.conflicts(existing.map(attributeOf));
}

function inputOf(command: Command, { flags }: Verb): VerbInput {
  const values = command.opts() as Readonly<Record<string, string | boolean | string[] | undefined>>;
  const texts: Record<string, string> = {};
  const lists: Record<string, readonly string[]> = {};
  for (const { name } of flags) {
    // commander keeps `--no-follow` as `follow`, which is true until the flag makes it false.
    const value = name.startsWith('no-') ? values[attributeOf(name.slice(3))] === false : values[attributeOf(name)];
    if (value === undefined || value === false) continue;
    const all = Array.isArray(value) ? value : [String(value)];
    lists[name] = all;
    texts[name] = all.at(-1) as string;
  }
  return { args: command.args, flags: texts, lists };
}

/** commander keeps `--accept-new` as `acceptNew`. */
function attributeOf(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function renderExamples(examples: Verb['examples']): string {
  const lines = examples.map(([command, effect]) => `  ${command.padEnd(WIDTH_OF_EXAMPLES)} ${effect}`);
  return `Examples:\n${lines.join('\n')}\n`;
}
