import { createRequire } from 'node:module';
import { toBcastError } from '../errors.ts';
import { parseCommandLine, verbWord } from './command-line.ts';
import { explain } from './explain.ts';
import { loadVerbs, VERBS } from './verbs.ts';

/**
 * Parses `argv` (node and script first, as in process.argv) and runs the verb it names. Sets process.exitCode and never
 * calls process.exit: what is still on its way to a pipe would be cut off.
 */
export async function run(argv: readonly string[]): Promise<void> {
  ignoreLeavingReaders();
  hideInvitation(argv);
  try {
    process.exitCode = await runVerb(argv.slice(2));
  } catch (error) {
    const known = toBcastError(error);
    process.stderr.write(`${explain(known)}\n`);
    process.exitCode = known.exit;
  }
}

async function runVerb(args: readonly string[]): Promise<number> {
  const word = verbWord(args);
  const verbs = await Promise.all(
    Object.entries(VERBS).map(async ([name, { summary, load }]) => ({
      name,
      summary,
      verb: name === word ? await load() : undefined,
    })),
  );
  const version = readVersion();
  const parsed = parseCommandLine(args, version, verbs);
  return 'exitCode' in parsed ? parsed.exitCode : await parsed.verb.run(parsed.input, { version, loadVerbs });
}

/**
 * An invitation's URL holds the code of a room, and everybody on a machine can list how its processes were started. A title
 * is written over that.
 */
function hideInvitation(argv: readonly string[]): void {
  if (argv.some((word) => CODE_IN_URL.test(word))) process.title = 'bcast';
}

const CODE_IN_URL = /[?&]code=/;

/** `bcast --help | head -1` must not end in a stack trace. */
function ignoreLeavingReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') process.exitCode = 1;
    });
  }
}

function readVersion(): string {
  const { version } = createRequire(import.meta.url)('bcast/package.json') as { version: string };
  return version;
}
