import { type Outcome, type ScenarioContext, sleep } from './scenario.ts';

export interface StoredCell {
  readonly scenario: 'stored';
  /** Until what a server does at its start is done. */
  readonly settleMs: number;
}

/** What a server that nobody has connected to needs for what its store holds. */
export async function runStored({ settleMs }: StoredCell, context: ScenarioContext): Promise<Outcome> {
  const { readRedis, serverResidentBytes, startMs, startUsage } = context;
  const stop = startUsage();
  await sleep(settleMs);
  const redis = await readRedis?.();
  return {
    metrics: {
      residentMiB: serverResidentBytes() / 2 ** 20,
      ...(startMs === undefined ? {} : { startMs }),
      ...(redis && { redisMiB: redis.usedBytes / 2 ** 20 }),
    },
    usage: stop(),
  };
}
