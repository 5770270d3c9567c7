import { DEFAULT_SUITE, SUITES, type Suite } from '../../lib/wire/suites.ts';
import { createBcastClient } from './bcast-client.ts';
import { startNetwork } from './bcast-network.ts';
import { prepareBcast, startBcast, startStockedBcast } from './bcast-server.ts';
import type { RunningServer, StartOptions, Target } from './target.ts';

type Start = (options: StartOptions) => Promise<RunningServer>;

const inMemory: Start = (options) => startBcast(options, ['--store', 'memory']);

/** bcast with the client's default suite, and without a disk, as its peers are. */
export const bcastTarget: Target = targetOf('bcast', inMemory);

/** What durability costs: the default store, the same with the disk waited for before each acknowledgement, and Redis. */
export const bcastStoreTargets: readonly Target[] = [
  targetOf('bcast-sqlite', (options) => startStockedBcast(options, ['--store', 'sqlite'])),
  targetOf('bcast-synced', (options) => startBcast(options, ['--store', 'sqlite', '--store-sync', 'always'])),
  targetOf('bcast-redis', (options) => startNetwork(options, 1)),
];

/** Several servers on one Redis. */
export const bcastNetworkTargets: readonly Target[] = [2, 4].map((nodes) =>
  targetOf(`bcast-${nodes}-nodes`, (options) => startNetwork(options, nodes)),
);

/** bcast with each suite, for choosing the default. */
export const bcastSuiteTargets: readonly Target[] = SUITES.map(({ id }) => targetOf(`bcast-${id}`, inMemory, id));

function targetOf(name: string, start: Start, suiteId: number = DEFAULT_SUITE): Target {
  const suite = SUITES.find(({ id }) => id === suiteId) as Suite;
  return {
    name,
    prepare: prepareBcast,
    start,
    createClient: (endpoints, onLost) => createBcastClient(endpoints, suite, onLost),
  };
}
