import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRedisProgram } from '../../lib/cli/redis-program.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

test('finds a Redis that is new enough, also under the name that Debian gives the same program', () => {
  const [old, fresh] = [scratchDir(), scratchDir()];
  program(old, 'redis-server', 'Redis server v=6.2.1 sha=0');
  program(fresh, 'redis-check-rdb', 'Redis server v=8.0.2 sha=0');
  const path = `${old}:${fresh}`;
  expect(findRedisProgram(path)).toEqual({ command: join(fresh, 'redis-check-rdb'), argv0: 'redis-server' });
  program(fresh, 'redis-server', 'Redis server v=7.0.0 sha=0');
  expect(findRedisProgram(path)).toEqual({ command: join(fresh, 'redis-server'), argv0: 'redis-server' });
});

function program(dir: string, name: string, says: string): void {
  const file = join(dir, name);
  writeFileSync(file, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(file, 0o755);
}
