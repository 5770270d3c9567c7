import { readFileSync } from 'node:fs';
import type { Clock } from '../../clock.ts';
import { describeRedis, type RedisAddress, secret } from '../../config/redis-url.ts';
import { BcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { Availability } from './availability.ts';
import { connectRedis, type RedisConnection, type Script } from './connection.ts';
import { createKeys, type Keys } from './keys.ts';

/** How long Redis may be away when a server starts, in milliseconds. */
const START_TIMEOUT_MS = 10_000;

/** Sharded channels came with 7.0. */
const OLDEST_MAJOR = 7;

/** One process's way to the Redis that all nodes share: what store and backplane are built on. */
export interface RedisNode {
  readonly connection: RedisConnection;
  readonly availability: Availability;
  readonly keys: Keys;
  /** What this process is called among the nodes; no other ever is. */
  readonly nodeId: string;
  /** Ends what waits and disconnects. */
  close(): void;
}

export interface RedisNodeOptions {
  readonly redisUrl: RedisAddress;
  readonly redisPasswordFile: string | undefined;
  readonly redisCa: string | undefined;
  readonly redisTimeout: number;
  readonly redisPrefix: string;
}

export interface RedisNodeContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeId: string;
  readonly scripts: readonly Script[];
}

/** Resolves when Redis answers. Rejects with CONFIG when it does not within 10 s, or is none that bcast can use. */
export async function openRedisNode(options: RedisNodeOptions, context: RedisNodeContext): Promise<RedisNode> {
  const { redisTimeout, redisPrefix } = options;
  const { clock, log, nodeId, scripts } = context;
  const address = withPassword(options.redisUrl, options.redisPasswordFile);
  const ca = options.redisCa === undefined ? undefined : read(options.redisCa);
  const connection = connectRedis({ address, timeoutMs: redisTimeout, scripts, ca });
  const availability = new Availability(connection, clock);
  const redis = describeRedis(address);
  try {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = clock.after(START_TIMEOUT_MS, () => reject(new Error(connection.lastError ?? 'no answer')));
    await Promise.race([connection.ready(), late]).finally(() => timer.cancel());
    await checkServer(connection, log);
  } catch (error) {
    connection.close();
    const { message } = error as Error;
    throw new BcastError('CONFIG', { text: `${redis} cannot be used: ${message}.`, cause: error });
  }
  log.info({ redis, node: nodeId }, 'connected to Redis');
  availability.onChange((isAvailable, reason) => {
    if (isAvailable) log.info({ redis }, 'Redis is back');
    else log.warn({ redis, reason }, 'Redis is lost');
  });
  return {
    connection,
    availability,
    keys: createKeys(redisPrefix),
    nodeId,
    close() {
      availability.close();
      connection.close();
    },
  };
}

async function checkServer(connection: RedisConnection, log: Logger): Promise<void> {
  const info = String(await connection.command('INFO'));
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
  if (Number.parseInt(version, 10) < OLDEST_MAJOR)
    throw new Error(`it is Redis ${version}, and bcast needs ${OLDEST_MAJOR}`);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  if (policy !== 'noeviction') {
    log.warn({ policy }, 'Redis throws away rooms when its memory is full; set maxmemory-policy to noeviction');
  }
}

function withPassword(address: RedisAddress, file: string | undefined): RedisAddress {
  return file === undefined ? address : { ...address, password: secret(read(file).replace(/\r?\n$/, '')) };
}

/** Throws CONFIG. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BcastError('CONFIG', { text: `${file} cannot be read (${code}).`, cause: error });
  }
}
