import { bodySeq, bodyTimeUs, nowUs } from '../load/body.ts';
import { connectAll } from '../load/connect-all.ts';
import { drain } from '../load/drain.ts';
import { createLedger } from '../load/ledger.ts';
import type { Publisher } from '../targets/target.ts';
import { nodeMetrics, nodeOf, type Placing } from './placing.ts';
import {
  CONNECT_CONCURRENCY,
  deliveryMetrics,
  type Outcome,
  quantile,
  type ScenarioContext,
  sleep,
  startRedisMetrics,
} from './scenario.ts';

export interface SteadyCell {
  readonly scenario: 'steady';
  readonly rooms: number;
  readonly membersPerRoom: number;
  readonly placing: Placing;
  readonly deliveriesPerS: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Node's timers know whole milliseconds; what has become due since the last tick is sent, one message a room. */
const TICK_MS = 1;

/**
 * A pause of the whole machine falls into few slices of this length, and so leaves their median p99 alone, while it can
 * make up all of the p99 over the whole time.
 */
const SLICE_S = 0.1;

/**
 * Every room has a publisher of its own beside its members. The rooms take turns at a fixed total rate, and each message
 * carries the moment it was sent, read by the same process when it arrives.
 */
export async function runSteady(cell: SteadyCell, context: ScenarioContext): Promise<Outcome> {
  const latencies: number[] = [];
  const rooms = await connectAll(cell.rooms, CONNECT_CONCURRENCY, (room) =>
    openRoom(context, `steady-${room}`, cell, latencies),
  );
  const deliveries = () => rooms.reduce((sum, { ledger }) => sum + ledger.deliveries(), 0);
  let published = 0;
  const run = async (durationMs: number) => {
    const perMs = cell.deliveriesPerS / cell.membersPerRoom / 1000;
    published = await publishSteadily(
      rooms.map(({ publisher }) => publisher),
      published,
      perMs,
      durationMs,
    );
    await drain(() => published * cell.membersPerRoom - deliveries());
  };
  await run(cell.warmUpMs);
  latencies.length = 0;
  const before = deliveries();
  const redisMetrics = await startRedisMetrics(context);
  const stop = context.startUsage();
  await run(cell.measureMs);
  const usage = stop();
  const delivered = deliveries() - before;
  const messages = delivered / cell.membersPerRoom;
  const metrics = {
    ...deliveryMetrics(delivered, usage),
    ...(context.readRedis && nodeMetrics({ members: cell.membersPerRoom, placing: cell.placing }, messages, usage)),
    ...(await redisMetrics(messages, usage, delivered)),
    p50Ms: quantile(latencies, 0.5) / 1000,
    p99Ms: quantile(latencies, 0.99) / 1000,
    sliceP99Ms: quantile(sliceP99s(latencies, cell.deliveriesPerS * SLICE_S), 0.5) / 1000,
  };
  return { metrics, usage };
}

/** The p99 of each `length` values that follow one another. */
function sliceP99s(values: readonly number[], length: number): number[] {
  const slices = Math.floor(values.length / length);
  return Array.from({ length: slices }, (_, slice) =>
    quantile(values.slice(slice * length, (slice + 1) * length), 0.99),
  );
}

async function openRoom({ client, nodes }: ScenarioContext, room: string, cell: SteadyCell, latenciesUs: number[]) {
  const { membersPerRoom: members, placing } = cell;
  const place = nodeOf(placing, nodes);
  const ledger = createLedger(members, () => {});
  for (let member = 0; member < members; member++) {
    const onBody = (bytes: Uint8Array, at: number) => {
      latenciesUs.push(nowUs() - bodyTimeUs(bytes, at));
      ledger.received(member, bodySeq(bytes, at));
    };
    await client.connectMember(room, onBody, place(member));
  }
  return { ledger, publisher: await client.connectPublisher(room) };
}

/** Publishes from message number `first` of the whole on; returns the number after the last. */
async function publishSteadily(publishers: Publisher[], first: number, perMs: number, durationMs: number) {
  const startMs = performance.now();
  let next = first;
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    for (const due = first + Math.floor(elapsedMs * perMs); next < due; next++) {
      publishers[next % publishers.length]?.publish(Math.floor(next / publishers.length), 1);
    }
    await sleep(TICK_MS);
  }
  return next;
}
