import { connectAll } from '../load/connect-all.ts';
import { refuseDelivery } from './connections.ts';
import { CONNECT_CONCURRENCY, type Outcome, type ScenarioContext, sleep } from './scenario.ts';

export interface MemoryCell {
  readonly scenario: 'memory';
  /** Made before the first reading, so that code and pools that are needed once are there. */
  readonly warmUpConnections: number;
  readonly connections: number;
  readonly perRoom: number;
  readonly settleMs: number;
}

/** Growth of the server's resident memory over idle members of rooms, after settling. No collection is forced. */
export async function runMemory(cell: MemoryCell, context: ScenarioContext): Promise<Outcome> {
  const connectMany = (count: number, prefix: string) =>
    connectAll(count, CONNECT_CONCURRENCY, (index) => {
      const room = `${prefix}-${Math.floor(index / cell.perRoom)}`;
      return context.client.connectMember(room, refuseDelivery);
    });
  await connectMany(cell.warmUpConnections, 'warm');
  await sleep(cell.settleMs);
  const before = context.serverResidentBytes();
  const stop = context.startUsage();
  await connectMany(cell.connections, 'idle');
  await sleep(cell.settleMs);
  const grownBytes = context.serverResidentBytes() - before;
  return { metrics: { residentKiBPerConnection: grownBytes / 1024 / cell.connections }, usage: stop() };
}
