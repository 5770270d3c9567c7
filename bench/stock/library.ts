import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../lib/clock.ts';
import { parseRedisUrl, type RedisAddress } from '../../lib/config/redis-url.ts';
import { createLogger } from '../../lib/log.ts';
import type { NameKey } from '../../lib/protocol/names.ts';
import { openRedisNode } from '../../lib/server/redis/node.ts';
import { SCRIPTS } from '../../lib/server/store/redis/scripts.ts';
import { createRedisStore } from '../../lib/server/store/redis/store.ts';
import { BLOCK_MESSAGES } from '../../lib/server/store/sqlite/chunks.ts';
import { openSqliteStore } from '../../lib/server/store/sqlite.ts';
import type { Placement } from '../machine.ts';
import { compactRedis, startBenchRedis } from '../targets/redis-process.ts';
import { fillStore, type Stock, stockedRoom } from './stock.ts';

const KEEP_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;
const POLL_MS = 500;

const made = new Map<string, Promise<string>>();

/** A directory with files of a store that holds the stock, made once in a run of the bench; to be copied, not used. */
export function stockedSqlite(parent: string, stock: Stock): Promise<string> {
  return once(`SQLite ${JSON.stringify(stock)}`, () => makeSqlite(parent, stock));
}

/** The same for Redis. */
export function stockedRedis(parent: string, placement: Placement, stock: Stock): Promise<string> {
  return once(`Redis ${JSON.stringify(stock)}`, () => makeRedis(parent, placement, stock));
}

function once(what: string, make: () => Promise<string>): Promise<string> {
  const known = made.get(what) ?? make();
  made.set(what, known);
  return known;
}

async function makeSqlite(parent: string, stock: Stock): Promise<string> {
  const dataDir = mkdtempSync(join(parent, 'stock-'));
  const store = await openSqliteStore({
    dataDir,
    keepMessages: stock.keepMessages,
    keepMs: KEEP_MS,
    emptyRoomTtl: DAY_MS,
    isSynced: false,
    clock: systemClock,
    onFailure: (error) => {
      throw error;
    },
  });
  try {
    await fillStore(store, stock, sayProgress('SQLite', stock));
    await untilIndexed(join(dataDir, 'bcast.db'), stock, () => store.retain(stockedRoom(0) as NameKey, true));
  } finally {
    await store.close();
  }
  return dataDir;
}

/**
 * The index of words follows by itself while a store is used, but not when it is busy: `touch` is a use of it. A store that
 * has long been in use has its index.
 */
async function untilIndexed(file: string, { messagesPerRoom }: Stock, touch: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(file, { readOnly: true });
  const whole = messagesPerRoom - (messagesPerRoom % BLOCK_MESSAGES);
  const behind = database.prepare('SELECT count(*) AS count FROM rooms WHERE indexed < ?');
  try {
    while (whole > 0 && behind.get(whole)?.['count'] !== 0) {
      await touch();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    database.close();
  }
}

async function makeRedis(parent: string, placement: Placement, stock: Stock): Promise<string> {
  const redis = await startBenchRedis(placement, parent);
  const hex = () => Math.random().toString(16).slice(2).padEnd(16, '0').slice(0, 16);
  const log = createLogger('warn', process.stderr);
  const options = { redisPasswordFile: undefined, redisCa: undefined, redisTimeout: 10_000, redisPrefix: 'bcast' };
  const redisUrl = parseRedisUrl(redis.url) as RedisAddress;
  const context = { clock: systemClock, log, nodeId: hex(), scripts: SCRIPTS };
  const node = await openRedisNode({ ...options, redisUrl }, context);
  const keep = { keepMessages: stock.keepMessages, keepMs: KEEP_MS, leaseMs: DAY_MS, recoveryMs: 0 };
  const store = createRedisStore({ node, clock: systemClock, newIncarnation: hex, ...keep, wait: 0, waitTimeoutMs: 0 });
  try {
    await fillStore(store, stock, sayProgress('Redis', stock));
    await compactRedis(redis.port);
  } finally {
    await store.close();
    await redis.child.end();
  }
  return redis.directory;
}

/** Every tenth of the way, on stderr. */
function sayProgress(what: string, { rooms, messagesPerRoom }: Stock): (share: number) => void {
  let said = 0;
  process.stderr.write(`filling ${what} with ${rooms * messagesPerRoom} messages in ${rooms} rooms:`);
  return (share) => {
    for (; said + 0.1 <= share + 1e-9; said += 0.1) process.stderr.write(` ${Math.round((said + 0.1) * 100)}%`);
    if (share === 1) process.stderr.write('\n');
  };
}
