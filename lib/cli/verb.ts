import type { Option } from '../config/options.ts';

/** A flag as data: commander, help and completion are all made from it. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for its value in help; absent when it takes none. */
  readonly placeholder?: string;
  readonly help: string;
  /** May be given several times; all its values count. */
  readonly isRepeatable?: boolean;
  /** Names of flags that make no sense together with this one. */
  readonly conflicts?: readonly string[];
  /** The only values, for completion. */
  readonly choices?: readonly string[];
}

export interface VerbArgument {
  readonly name: string;
  readonly help: string;
  readonly isVariadic?: boolean;
  /** The only values, for completion. */
  readonly choices?: readonly string[];
}

/** What was typed after the verb. */
export interface VerbInput {
  readonly args: readonly string[];
  /** The last value of each flag by name; `true` for one that takes none. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** All values of the repeatable ones. */
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
}

/** One verb of the command line; its file is loaded only when it is used or explained. */
export interface Verb {
  /** All optional. */
  readonly args: readonly VerbArgument[];
  readonly flags: readonly Flag[];
  /** A command and what it does, shown first in its help. */
  readonly examples: readonly (readonly [command: string, effect: string])[];
  /** What help says after the flags. */
  readonly notes?: string;
  /** Resolves to the exit code; throws BcastError. */
  run(input: VerbInput, program: Program): Promise<number>;
}

/** A verb under its name. */
export interface NamedVerb {
  readonly name: string;
  readonly summary: string;
  readonly verb: Verb;
}

/** What a verb may want to know of the program it belongs to. */
export interface Program {
  readonly version: string;
  loadVerbs(): Promise<readonly NamedVerb[]>;
}

/** Rooms are the one option with several values. */
const REPEATABLE = 'room';
const SHORT: Readonly<Record<string, string>> = { port: 'p', user: 'u', room: 'r' };

/** The options of a table as flags. */
export function flagsOf(table: Readonly<Record<string, Option<unknown>>>): readonly Flag[] {
  const flagged = Object.values(table).filter(({ isFlagless }) => isFlagless !== true);
  return flagged.map(({ name, kind, help, fallback }) => {
    const { placeholder, format } = kind as { placeholder?: string; format(value: unknown): string };
    const isShown = fallback !== undefined && placeholder !== undefined && format(fallback) !== '';
    return {
      name,
      help: isShown ? `${help} [${format(fallback)}]` : help,
      ...(SHORT[name] !== undefined && { short: SHORT[name] }),
      ...(placeholder !== undefined && { placeholder }),
      ...(name === REPEATABLE && { isRepeatable: true }),
      ...(placeholder?.includes('|') && { choices: placeholder.split('|') }),
    };
  });
}
