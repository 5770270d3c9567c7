import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a Redis server is started on this machine. */
export interface RedisProgram {
  readonly command: string;
  /** One program is several: what it does goes by the name it is called by. */
  readonly argv0: string;
}

/** Sharded channels came with 7.0. */
const OLDEST_MAJOR = 7;

/** Debian's redis-server is a link to redis-check-rdb, which comes without a service. */
const CANDIDATES: readonly (readonly [file: string, argv0: string])[] = [
  ['redis-server', 'redis-server'],
  ['valkey-server', 'valkey-server'],
  ['redis-check-rdb', 'redis-server'],
  ['valkey-check-rdb', 'valkey-server'],
];

/** Where package managers put what is not on everybody's PATH. */
const HOMES = ['/usr/local/bin', '/opt/homebrew/bin'];

/** A server among the programs that `path` leads to, or null. */
export function findRedisProgram(path: string): RedisProgram | null {
  for (const [file, argv0] of CANDIDATES) {
    for (const home of [...path.split(delimiter), ...HOMES]) {
      const program = { command: join(home, file), argv0 };
      if (existsSync(program.command) && isServer(program)) return program;
    }
  }
  return null;
}

function isServer({ command, argv0 }: RedisProgram): boolean {
  const { stdout } = spawnSync(command, ['--version'], { argv0, encoding: 'utf8' });
  return Number(/v=(\d+)\./.exec(stdout ?? '')?.[1]) >= OLDEST_MAJOR;
}
