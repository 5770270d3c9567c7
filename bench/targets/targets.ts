import { bcastNetworkTargets, bcastStoreTargets, bcastSuiteTargets, bcastTarget } from './bcast.ts';
import { natsTarget } from './nats.ts';
import type { Target } from './target.ts';
import { wsTarget } from './ws.ts';

/** What can be measured, in the order of the columns. */
export const ALL_TARGETS: readonly Target[] = [
  bcastTarget,
  natsTarget,
  wsTarget,
  ...bcastStoreTargets,
  ...bcastNetworkTargets,
  ...bcastSuiteTargets,
];

export function findTarget(name: string): Target {
  const target = ALL_TARGETS.find((candidate) => candidate.name === name);
  if (target === undefined)
    throw new Error(`no target ${name}; there are ${ALL_TARGETS.map((t) => t.name).join(', ')}`);
  return target;
}
