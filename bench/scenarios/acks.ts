import type { Publisher } from '../targets/target.ts';
import { type Outcome, type ScenarioContext, startRedisMetrics } from './scenario.ts';

export interface AcksCell {
  readonly scenario: 'acks';
  readonly publishers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Each publisher, alone in a room of its own, sends a message, waits for its acknowledgement, sends the next. */
export async function runAcks(cell: AcksCell, context: ScenarioContext): Promise<Outcome> {
  const publishers: Publisher[] = [];
  for (let i = 0; i < cell.publishers; i += 1) publishers.push(await context.client.connectPublisher(`acks-${i}`));
  const published = publishers.map(() => 0);
  const run = async (durationMs: number) => {
    const deadline = performance.now() + durationMs;
    const publish = async (publisher: Publisher, i: number) => {
      while (performance.now() < deadline) {
        await publisher.publishAcknowledged(published[i] ?? 0);
        published[i] = (published[i] ?? 0) + 1;
      }
    };
    await Promise.all(publishers.map(publish));
  };
  const total = () => published.reduce((sum, count) => sum + count, 0);
  await run(cell.warmUpMs);
  const redisMetrics = await startRedisMetrics(context);
  const stop = context.startUsage();
  const before = total();
  await run(cell.measureMs);
  const usage = stop();
  const acks = total() - before;
  const metrics = {
    cpuUsPerAck: usage.serverCpuUs / acks,
    acksPerS: (acks / usage.elapsedMs) * 1000,
    ...(await redisMetrics(acks, usage)),
  };
  return { metrics, usage };
}
