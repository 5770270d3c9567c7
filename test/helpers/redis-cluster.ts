import { onTestFinished, vi } from 'vitest';
import { startRedis, type TestRedis, type TestRedisOptions } from './redis-server.ts';

const SLOTS = 16_384;

export interface TestRedisClusterOptions extends TestRedisOptions {
  readonly masters?: number;
  /** Of each master. */
  readonly replicas?: number;
}

export interface TestRedisCluster {
  readonly url: string;
  /** As they were when it started; after a failover a replica may rule in a master's place. */
  readonly masters: readonly TestRedis[];
  /** The replicas of each master. */
  readonly replicas: readonly (readonly TestRedis[])[];
  stop(): Promise<void>;
}

/** Starts a Cluster that ends with the test. */
export async function redisClusterForTest(options: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const cluster = await startRedisCluster(options);
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** Starts a Cluster on free loopback ports; resolves when every server of it serves. */
export async function startRedisCluster(options: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const { masters: count = 3, replicas: each = 0, config, isPersistent = false } = options;
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '1000', ...config };
  const start = (n: number) =>
    Promise.all(Array.from({ length: n }, () => startRedis({ config: settings, isPersistent })));
  const masters = await start(count);
  const replicas = await Promise.all(masters.map(() => start(each)));
  const all = [...masters, ...replicas.flat()];
  const cluster = {
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    replicas,
    async stop() {
      await Promise.all(all.map((redis) => redis.stop()));
    },
  };
  try {
    await join(masters, replicas);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

async function join(masters: readonly TestRedis[], replicas: readonly (readonly TestRedis[])[]): Promise<void> {
  const all = [...masters, ...replicas.flat()];
  await Promise.all(
    masters.map(({ admin }, i) => {
      const first = Math.floor((SLOTS * i) / masters.length);
      const last = Math.floor((SLOTS * (i + 1)) / masters.length) - 1;
      return admin.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    }),
  );
  // Without different epochs they would have to settle who is right.
  await Promise.all(masters.map(({ admin }, i) => admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
  const [first] = masters as [TestRedis];
  for (const { admin } of all.slice(1))
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', first.port, await busPort(first));
  await Promise.all(all.map((redis) => serves(redis, all.length)));
  await Promise.all(masters.map((master, i) => replicate(master, replicas[i] ?? [])));
}

async function busPort({ admin }: TestRedis): Promise<number> {
  const [, port] = (await admin.call('CONFIG', 'GET', 'cluster-port')) as string[];
  return Number(port);
}

async function serves({ admin }: TestRedis, nodes: number): Promise<void> {
  await until(async () => {
    const info = String(await admin.call('CLUSTER', 'INFO'));
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}\r`);
  });
}

async function replicate(master: TestRedis, replicas: readonly TestRedis[]): Promise<void> {
  const id = await master.admin.call('CLUSTER', 'MYID');
  for (const { admin } of replicas) {
    await admin.call('CLUSTER', 'REPLICATE', id as string);
    await until(async () => (await admin.info('replication')).includes('master_link_status:up'));
  }
}

/** Asks again and again: servers of a Cluster tell each other what they know, and nobody when they have. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  await vi.waitFor(
    async () => {
      if (!(await isSo())) throw new Error('the Cluster is not ready');
    },
    { timeout: 30_000, interval: 20 },
  );
}
