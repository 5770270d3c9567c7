import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Client } from '../../lib/client/client.ts';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { enterClient, type Watched } from '../helpers/live-client.ts';
import { enterPeer, newMessageId } from '../helpers/peer.ts';
import type { NodeProcess } from './node-process.ts';

/** What was acknowledged: a message and its place. */
interface Acknowledged {
  readonly body: string;
  readonly seq: number;
}

/** People on every node who talk in one room all along, and all that they were told. */
export interface Talk {
  readonly acknowledged: readonly Acknowledged[];
  readonly speakers: readonly Watched[];
  /** Resolves when so many more messages are acknowledged. */
  more(count: number): Promise<void>;
  /** Lets everybody finish what was begun, and looks whether all that was acknowledged is there and was told. */
  finish(options?: { readonly mayLose?: boolean }): Promise<void>;
}

/** A pause between two messages of a speaker: load, but not all that the machine can do. */
const PACE_MS = 20;
const PAGE = 200;

export async function startTalk(nodes: readonly NodeProcess[], room: string, speakersOfANode = 2): Promise<Talk> {
  const speakers: Watched[] = [];
  for (const [i, node] of nodes.entries()) {
    for (let j = 0; j < speakersOfANode; j += 1) {
      const speaker = await enterClient(node, `${room}-speaker-${i}-${j}`);
      await speaker.client.join(room);
      speakers.push(speaker);
    }
  }
  const acknowledged: Acknowledged[] = [];
  const waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  let isEnding = false;
  const speak = async ({ client }: Watched): Promise<void> => {
    for (let n = 0; !isEnding; n += 1) {
      const body = `${client.name} ${n}`;
      const { seq } = await client.say(room, body);
      acknowledged.push({ body, seq: seq ?? 0 });
      for (const each of waiting) if (acknowledged.length >= each.at) each.resolve();
      await sleep(PACE_MS);
    }
  };
  const running = Promise.all(speakers.map(speak));
  running.catch(() => undefined);
  return {
    acknowledged,
    speakers,
    async more(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ at: acknowledged.length + count, resolve });
      await Promise.race([promise, running]);
    },
    async finish({ mayLose = false } = {}) {
      isEnding = true;
      await running;
      const last = Math.max(...acknowledged.map(({ seq }) => seq));
      for (const speaker of speakers)
        await speaker.until((events) => events.some((one) => 'seq' in one && one.seq === last));
      expectOnce(acknowledged);
      const history = await readAll((speakers[0] as Watched).client, room);
      if (!mayLose) expectKept(acknowledged, history);
      for (const speaker of speakers) expectTold(speaker, mayLose ? null : acknowledged);
    },
  };
}

/** No seq was given to two messages. */
function expectOnce(acknowledged: readonly Acknowledged[]): void {
  expect(new Set(acknowledged.map(({ seq }) => seq)).size).toBe(acknowledged.length);
}

/** All that was acknowledged is in history, once, where it was said to be. */
function expectKept(acknowledged: readonly Acknowledged[], history: readonly Acknowledged[]): void {
  expect(new Set(history.map(({ body }) => body)).size).toBe(history.length);
  const bySeq = new Map(history.map(({ seq, body }) => [seq, body]));
  expect(acknowledged.filter(({ seq, body }) => bySeq.get(seq) !== body)).toEqual([]);
}

/** It was told everything once and in order; of what was acknowledged, everything unless that may have been lost. */
function expectTold({ events }: Watched, acknowledged: readonly Acknowledged[] | null): void {
  const told = events.flatMap((event) => (event.type === 'message' ? [event] : []));
  expect(new Set(told.map(({ body }) => body)).size).toBe(told.length);
  expect(told.map(({ seq }) => seq)).toEqual(told.map(({ seq }) => seq).sort((a, b) => a - b));
  if (acknowledged === null) return;
  const bodies = new Set(told.map(({ body }) => body));
  const first = Math.min(...told.map(({ seq }) => seq));
  expect(acknowledged.filter(({ body, seq }) => seq >= first && !bodies.has(body))).toEqual([]);
}

async function readAll(client: Client, room: string): Promise<Acknowledged[]> {
  const all: Acknowledged[] = [];
  for (let beforeSeq: number | undefined; ; ) {
    const page = await client.history(room, { limit: PAGE, beforeSeq });
    all.unshift(...page.map(({ seq, body }) => ({ seq, body })));
    beforeSeq = page[0]?.seq;
    if (page.length < PAGE) return all;
  }
}

/** Two people on one node, of whom one speaks ten times a second and the other hears, stored or not. */
export interface Echo {
  /** How long each took to be heard, in milliseconds, in the order in which they were said. */
  latencies(): number[];
  /** What was said since the start and not heard yet. */
  unheard(): number;
  stop(): Promise<void>;
}

const ECHO_MS = 100;

export async function startEcho(node: NodeProcess, room: string): Promise<Echo> {
  const { port } = node;
  const speaker = await enterPeer(`${room}-echo-a`, { port });
  const listener = await enterPeer(`${room}-echo-b`, { port });
  for (const peer of [speaker, listener]) await peer.join(room);
  const saidMs = new Map<string, number>();
  const heardMs = new Map<string, number>();
  listener.onEvent = (event) => {
    if (event.type !== 'message' && event.type !== 'unstored') return;
    if (saidMs.has(event.id) && !heardMs.has(event.id)) heardMs.set(event.id, performance.now());
  };
  let isEnding = false;
  const running = (async () => {
    while (!isEnding) {
      const id = newMessageId();
      saidMs.set(id, performance.now());
      speaker.send({ type: 'say', id, again: false, room: requireRoomName(room), kind: 'text', body: `echo ${id}` });
      await sleep(ECHO_MS);
    }
  })();
  return {
    latencies: () => [...heardMs].map(([id, ms]) => ms - (saidMs.get(id) ?? 0)),
    unheard: () => saidMs.size - heardMs.size,
    async stop() {
      isEnding = true;
      await running;
    },
  };
}

export function summary(latencies: readonly number[]): string {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return `p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms of ${sorted.length}`;
}
