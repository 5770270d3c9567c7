import { onTestFinished } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { parseRedisUrl, type RedisAddress } from '../../../lib/config/redis-url.ts';
import { createLogger } from '../../../lib/log.ts';
import { RedisBackplane } from '../../../lib/server/backplane/redis/backplane.ts';
import { BACKPLANE_SCRIPTS } from '../../../lib/server/backplane/redis/scripts.ts';
import { Availability } from '../../../lib/server/redis/availability.ts';
import { connectRedis } from '../../../lib/server/redis/connection.ts';
import { createKeys } from '../../../lib/server/redis/keys.ts';
import { SCRIPTS } from '../../../lib/server/store/redis/scripts.ts';
import { createRedisStore } from '../../../lib/server/store/redis/store.ts';
import type { NetworkUnderTest, NodeUnderTest } from '../../conformance/backplane.ts';
import { Collector } from '../../helpers/collector.ts';
import { startCuttingProxy } from '../../helpers/cutting-proxy.ts';
import { hex } from '../store/redis-store.ts';

/** A tenth of what servers take, so that a test need not wait so long for a node to be gone. */
const BEAT_MS = 200;
const GONE_MS = 1_500;

const STORE = {
  clock: systemClock,
  newIncarnation: hex,
  keepMessages: 10_000,
  keepMs: 1e13,
  leaseMs: 600_000,
  recoveryMs: 0,
  wait: 0,
  waitTimeoutMs: 1_000,
};

/** A network on one Redis, among keys of its own. With `isCuttable` each node goes by a relay of its own. */
export function redisNetwork(url: string, { isCuttable = false, prefix = `t-${hex()}` } = {}): NetworkUnderTest {
  return {
    async node(): Promise<NodeUnderTest> {
      const proxy = isCuttable ? await startCuttingProxy(Number(new URL(url).port)) : undefined;
      const at = proxy === undefined ? url : `redis://127.0.0.1:${proxy.port}`;
      const connection = connectRedis({
        address: parseRedisUrl(at) as RedisAddress,
        timeoutMs: 2_000,
        scripts: [...SCRIPTS, ...BACKPLANE_SCRIPTS],
      });
      onTestFinished(() => connection.close());
      await connection.ready();
      const availability = new Availability(connection, systemClock);
      const close = (): void => {
        availability.close();
        connection.close();
      };
      const node = { connection, availability, keys: createKeys(prefix), nodeId: hex(), close };
      const store = createRedisStore({ ...STORE, node });
      onTestFinished(() => store.close());
      const backplane = new RedisBackplane({
        node,
        clock: systemClock,
        log: createLogger('debug', new Collector().stream),
        onHeard: (room, last, lastTs) => store.heard(room, last, lastTs),
        beatMs: BEAT_MS,
        goneMs: GONE_MS,
      });
      onTestFinished(() => backplane.stop());
      return {
        backplane,
        store,
        die: () => void node.close(),
        cut: () => proxy?.block(),
        restore: () => proxy?.unblock(),
        // The others look at the clock themselves.
        lapse: async () => undefined,
      };
    },
  };
}
