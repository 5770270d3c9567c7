import { drain } from '../load/drain.ts';
import { createLedger } from '../load/ledger.ts';
import { joinMembers } from './fanout.ts';
import { deliveryMetrics, type Outcome, type ScenarioContext } from './scenario.ts';

export interface WaitingCell {
  readonly scenario: 'waiting';
  readonly members: number;
  readonly windowMessages: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const ROOM = 'waiting';

/** One publisher sends a message, waits for its acknowledgement, sends the next. The window holds here too. */
export async function runWaiting(cell: WaitingCell, context: ScenarioContext): Promise<Outcome> {
  const ledger = createLedger(cell.members, () => {});
  await joinMembers(context, ledger, cell.members, ROOM);
  const publisher = await context.client.connectPublisher(ROOM);
  let published = 0;
  const run = async (durationMs: number) => {
    const deadline = performance.now() + durationMs;
    while (performance.now() < deadline) {
      await drain(() => published + 1 - ledger.slowest() - cell.windowMessages);
      await publisher.publishAcknowledged(published++);
    }
    await drain(() => published * cell.members - ledger.deliveries());
  };
  await run(cell.warmUpMs);
  const stop = context.startUsage();
  const before = ledger.deliveries();
  await run(cell.measureMs);
  const usage = stop();
  return { metrics: deliveryMetrics(ledger.deliveries() - before, usage), usage };
}
