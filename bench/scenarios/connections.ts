import { connectAll } from '../load/connect-all.ts';
import { CONNECT_CONCURRENCY, type Outcome, type ScenarioContext } from './scenario.ts';

export interface ConnectionsCell {
  readonly scenario: 'connections';
  /** Made before measuring begins, so that the servers' code is warm; they stay open. */
  readonly warmUpConnections: number;
  readonly connections: number;
  readonly perRoom: number;
}

/** Connect, handshake, join, be told so; eight at a time. All are closed after the measuring. */
export async function runConnections(cell: ConnectionsCell, context: ScenarioContext): Promise<Outcome> {
  const connectMany = (count: number, prefix: string) =>
    connectAll(count, CONNECT_CONCURRENCY, (index) => {
      const room = `${prefix}-${Math.floor(index / cell.perRoom)}`;
      return context.client.connectMember(room, refuseDelivery);
    });
  const warmUp = await connectMany(cell.warmUpConnections, 'warm');
  const stop = context.startUsage();
  const measured = await connectMany(cell.connections, 'join');
  const usage = stop();
  for (const connection of [...warmUp, ...measured]) connection.close();
  return {
    metrics: {
      cpuUsPerConnection: usage.serverCpuUs / cell.connections,
      connectionsPerS: (cell.connections / usage.elapsedMs) * 1000,
    },
    usage,
  };
}

/** For members of rooms in which nobody speaks. */
export function refuseDelivery(): never {
  throw new Error('a message was delivered where none was sent');
}
