import { systemClock } from '../../../lib/clock.ts';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { backplaneConformance, cutConformance } from '../../conformance/backplane.ts';
import { MemoryNetwork } from '../../helpers/memory-network.ts';

function create() {
  let incarnations = 0;
  const network = new MemoryNetwork(
    createMemoryStore({
      keepMessages: 1_000,
      keepMs: 1e13,
      clock: systemClock,
      newIncarnation: () => (++incarnations).toString(16).padStart(16, '0'),
    }),
  );
  return {
    async node() {
      const node = network.node();
      return {
        backplane: node,
        store: node.store,
        die: () => network.kill(node),
        cut: () => node.cut(),
        restore: () => node.comeBack(),
        lapse: async () => network.forget(node),
      };
    },
  };
}

backplaneConformance('the network in memory for tests', create);
cutConformance('the network in memory for tests', create);
