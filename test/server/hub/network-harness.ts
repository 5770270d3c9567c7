import type { ServerOptions } from '../../../lib/config/options.ts';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { MemoryNetwork, type MemoryNode } from '../../helpers/memory-network.ts';
import { GatedStore } from './gated-store.ts';
import { HubHarness } from './harness.ts';

/** A hub among others. */
export class NodeHarness extends HubHarness {
  readonly node: MemoryNode;

  constructor(node: MemoryNode, options: Partial<ServerOptions>) {
    super(options, new GatedStore(node.store), node);
    this.node = node;
  }
}

/** Several hubs on one store, whose turns, time and news are in a test's hand. */
export class NetworkHarness {
  readonly network: MemoryNetwork;
  readonly nodes: NodeHarness[] = [];
  readonly #options: Partial<ServerOptions>;

  constructor(options: Partial<ServerOptions> = {}) {
    this.#options = options;
    let incarnations = 0;
    const newIncarnation = () => (++incarnations).toString(16).padStart(16, '0');
    const store = createMemoryStore({ keepMessages: 1_000, keepMs: 1e13, clock: new ManualClock(), newIncarnation });
    this.network = new MemoryNetwork(store);
  }

  async start(): Promise<NodeHarness> {
    const node = new NodeHarness(this.network.node(), this.#options);
    this.nodes.push(node);
    await node.hub.start();
    return node;
  }

  /** Until nothing is left that happens by itself. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i += 1) for (const node of this.nodes) await node.endTurn();
  }

  async pass(durationMs: number): Promise<void> {
    for (const node of this.nodes) await node.pass(durationMs);
    await this.settle();
  }
}

export async function startTwo(
  options: Partial<ServerOptions> = {},
): Promise<[NetworkHarness, NodeHarness, NodeHarness]> {
  const network = new NetworkHarness(options);
  return [network, await network.start(), await network.start()];
}
