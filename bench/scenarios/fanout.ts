import { bodySeq } from '../load/body.ts';
import { connectAll } from '../load/connect-all.ts';
import { drain } from '../load/drain.ts';
import { BLOCK_MESSAGES, createLedger, type Ledger } from '../load/ledger.ts';
import type { Publisher } from '../targets/target.ts';
import { nodeMetrics, nodeOf, type Placing } from './placing.ts';
import {
  CONNECT_CONCURRENCY,
  deliveryMetrics,
  type Outcome,
  type ScenarioContext,
  startRedisMetrics,
} from './scenario.ts';

export interface FanoutCell {
  readonly scenario: 'fanout';
  readonly members: number;
  readonly placing: Placing;
  /** How far the publisher may be ahead of the slowest member; a multiple of BLOCK_MESSAGES. */
  readonly windowMessages: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const ROOM = 'fanout';

/** One publisher keeps the server busy, a block of messages a write, never more than the window ahead of the slowest. */
export async function runFanout(cell: FanoutCell, context: ScenarioContext): Promise<Outcome> {
  let pump: () => void = () => {};
  const ledger = createLedger(cell.members, () => pump());
  await joinMembers(context, ledger, cell.members, ROOM, nodeOf(cell.placing, context.nodes));
  const publisher = await context.client.connectPublisher(ROOM);
  const state = { published: 0 };
  const run = async (durationMs: number) => {
    const deadline = performance.now() + durationMs;
    pump = () => pumpBlocks(publisher, ledger, state, cell.windowMessages, deadline);
    pump();
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    await drain(() => state.published * cell.members - ledger.deliveries());
  };
  await run(cell.warmUpMs);
  const redisMetrics = await startRedisMetrics(context);
  const stop = context.startUsage();
  const before = ledger.deliveries();
  await run(cell.measureMs);
  const usage = stop();
  const deliveries = ledger.deliveries() - before;
  const messages = deliveries / cell.members;
  const metrics = {
    ...deliveryMetrics(deliveries, usage),
    ...(context.readRedis && nodeMetrics(cell, messages, usage)),
    ...(await redisMetrics(messages, usage, deliveries)),
  };
  return { metrics, usage };
}

/** Members of the one room of a scenario, each booking what it receives. */
export async function joinMembers(
  { client }: ScenarioContext,
  ledger: Ledger,
  members: number,
  room: string,
  nodeOfMember: (member: number) => number = () => 0,
) {
  await connectAll(members, CONNECT_CONCURRENCY, (member) =>
    client.connectMember(room, (bytes, at) => ledger.received(member, bodySeq(bytes, at)), nodeOfMember(member)),
  );
}

function pumpBlocks(
  publisher: Publisher,
  ledger: Ledger,
  state: { published: number },
  windowMessages: number,
  deadline: number,
): void {
  while (state.published + BLOCK_MESSAGES - ledger.slowest() <= windowMessages && performance.now() < deadline) {
    publisher.publish(state.published, BLOCK_MESSAGES);
    state.published += BLOCK_MESSAGES;
  }
}
