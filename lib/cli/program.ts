import { createRequire } from 'node:module';
import { Command } from 'commander';

/** Parses `argv` (node and script first, as in process.argv) and runs the verb it names. */
export async function run(argv: readonly string[]): Promise<void> {
  const { version } = createRequire(import.meta.url)('bcast/package.json') as { version: string };
  const program = new Command('bcast').version(version);
  await program.parseAsync([...argv]);
}
