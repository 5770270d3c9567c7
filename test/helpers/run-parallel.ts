import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs the same module text in several processes at once; `import.meta`-free, it imports from `lib` by the URL given it. */
export async function runParallel(count: number, source: (index: number, lib: string) => string): Promise<string[]> {
  const lib = new URL('../../lib/', import.meta.url).href;
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const runs = Array.from({ length: count }, async (_, i) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source(i, lib)], { cwd });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      output += String(chunk);
    });
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`process ${i} ended with ${code}: ${output}`);
    return output;
  });
  return Promise.all(runs);
}
