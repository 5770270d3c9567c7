import { connectReader, type Outcome, quantile, type ScenarioContext } from './scenario.ts';

export interface ResumeCell {
  readonly scenario: 'resume';
  readonly messages: number;
  /** How many members come back, one after the other. */
  readonly times: number;
}

const ROOM = 'resume';
const BURST_MESSAGES = 500;

/** What a client asks for at a time. */
const PAGE_MESSAGES = 200;

/** A member that has missed so many messages comes back: it connects, enters, and asks page by page for what is after its seq. */
export async function runResume({ messages, times }: ResumeCell, context: ScenarioContext): Promise<Outcome> {
  const publisher = await context.client.connectPublisher(ROOM);
  for (let seq = 0; seq < messages; seq += BURST_MESSAGES) {
    const count = Math.min(BURST_MESSAGES, messages - seq);
    if (count > 1) publisher.publish(seq, count - 1);
    await publisher.publishAcknowledged(seq + count - 1);
  }
  // Once before, so that the code is warm.
  await resume(context, messages);
  const stop = context.startUsage();
  const elapsedMs: number[] = [];
  for (let i = 0; i < times; i++) elapsedMs.push(await resume(context, messages));
  const usage = stop();
  const resumed = messages * times;
  const redis = context.readRedis && { redisCpuUsPerResumedMessage: usage.redisCpuUs / resumed };
  return {
    metrics: {
      resumeMs: quantile(elapsedMs, 0.5),
      cpuUsPerResumedMessage: usage.serverCpuUs / resumed,
      ...redis,
    },
    usage,
  };
}

/** How long it took until all were there, in milliseconds. Throws when one was missing or came twice. */
async function resume(context: ScenarioContext, messages: number): Promise<number> {
  const startMs = performance.now();
  const reader = await connectReader(context, ROOM);
  let last = 0;
  while (last < messages) {
    const seqs = await reader.page(last, PAGE_MESSAGES);
    if (seqs.length === 0) throw new Error(`LOST: what comes after ${last} of ${messages} messages`);
    for (const seq of seqs) if (seq !== ++last) throw new Error(`message ${seq} came where ${last} was due`);
  }
  const elapsedMs = performance.now() - startMs;
  reader.close();
  return elapsedMs;
}
