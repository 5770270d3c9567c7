import { stockedRoom } from '../stock/stock.ts';
import { createRandom, makeQuery, type Query } from '../stock/words.ts';
import type { Reader } from '../targets/target.ts';
import { connectReader, type Metrics, type Outcome, quantile, type ScenarioContext } from './scenario.ts';

export interface LookupCell {
  readonly scenario: 'lookup';
  /** How many there are in the room. */
  readonly messages: number;
  /** Pages and searches of each kind. */
  readonly times: number;
}

const PAGE_MESSAGES = 200;

/** What a client shows of a search. */
const FOUND_MESSAGES = 30;

/** Each kind this often before it is measured. */
const WARM_UP = 5;

/** One member asks for pages anywhere in a large room, and looks for words in it, one thing after the other. */
export async function runLookup({ messages, times }: LookupCell, context: ScenarioContext): Promise<Outcome> {
  const reader = await connectReader(context, stockedRoom(0));
  const random = createRandom(2);
  const page = async () => {
    const after = Math.floor(random() * (messages - PAGE_MESSAGES));
    const seqs = await reader.page(after, PAGE_MESSAGES);
    if (seqs.length !== PAGE_MESSAGES || seqs[0] !== after + 1) throw new Error(`the page after ${after} is not whole`);
  };
  const redis = await context.readRedis?.();
  const stop = context.startUsage();
  const metrics: Metrics = {
    ...spread('page', await timeEach(times, page)),
    ...spread('common', await timeEach(times, search(reader, 'common', random))),
    ...spread('rare', await timeEach(times, search(reader, 'rare', random))),
    ...spread('two', await timeEach(times, search(reader, 'two', random))),
    ...(redis && { redisBytesPerMessage: redis.usedBytes / messages }),
  };
  return { metrics, usage: stop() };
}

function search(reader: Reader, kind: Query['kind'], random: () => number): () => Promise<void> {
  return async () => {
    const { words } = makeQuery(kind, random);
    const found = await reader.search(words, FOUND_MESSAGES);
    if (kind === 'common' && found < FOUND_MESSAGES) throw new Error(`${words} was found ${found} times only`);
  };
}

async function timeEach(times: number, ask: () => Promise<void>): Promise<number[]> {
  for (let i = 0; i < WARM_UP; i++) await ask();
  const elapsedMs: number[] = [];
  for (let i = 0; i < times; i++) {
    const startMs = performance.now();
    await ask();
    elapsedMs.push(performance.now() - startMs);
  }
  return elapsedMs;
}

function spread<K extends 'page' | Query['kind']>(kind: K, elapsedMs: readonly number[]): Metrics {
  return { [`${kind}P50Ms`]: quantile(elapsedMs, 0.5), [`${kind}P99Ms`]: quantile(elapsedMs, 0.99) };
}
