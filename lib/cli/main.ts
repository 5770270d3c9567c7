import { followNpx } from './follow-npx.mjs';
import { isSupportedNode } from './node-version.mjs';

/**
 * Runs the command that process.argv names, under this Node or, if it is too old, under one that is not. This file is
 * loaded by any Node from 20 on, so everything else is imported only when it is known to parse and run.
 */
export async function main(): Promise<void> {
  followNpx();
  if (isSupportedNode(process.version)) {
    const { run } = await import('./program.ts');
    await run(process.argv);
  } else {
    const { rerunUnderSupportedNode } = await import('./runtime.mjs');
    await rerunUnderSupportedNode();
  }
}
