import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Client, Receipt } from '../../lib/client/client.ts';
import { enterClient, type Watched } from '../helpers/live-client.ts';
import { type Account, newAccount, type Run } from './bcast.ts';

const ROOMS = ['lobby', 'builds', 'straße'];
const PUBLISHERS = 4;
const IN_FLIGHT = 40;

const UNLIMITED = {
  BCAST_MESSAGES_PER_SECOND: '1000000',
  BCAST_MESSAGE_BURST: '1000000',
  BCAST_CONNECT_ATTEMPTS: '1000000',
  BCAST_HISTORY_MESSAGES: '1000000',
};

interface Said {
  readonly room: string;
  readonly body: string;
  readonly receipt: Receipt;
}

describe.each([
  ['second', 5],
  ['always', 2],
] as const)('a server that is killed under load (--store-sync %s)', (sync, rounds) => {
  test('has stored what it acknowledged, in order and once; clients go on', { timeout: 240_000 }, async () => {
    const account = newAccount(undefined, { ...UNLIMITED, BCAST_STORE_SYNC: sync });
    let server = await startServer(account, 0);
    const reader = await enterAll(server, 'reader');
    const said = new Ledger();
    const publishers = await Promise.all(
      Array.from({ length: PUBLISHERS }, async (_, i) => new Publisher(await enterAll(server, `publisher-${i}`), said)),
    );
    for (const publisher of publishers) publisher.start();
    for (let round = 0; round < rounds; round += 1) {
      // At a message and not at a moment, so that each round has some work behind it, however fast the machine is.
      await said.next(1 + Math.floor(Math.random() * 500));
      server.run.child.kill('SIGKILL');
      await server.run.exit;
      server = await startServer(account, server.port);
    }
    await Promise.all(publishers.map((publisher) => publisher.stop()));
    for (const room of ROOMS) expectWhole(said.all, room);
    const total = said.all.length;
    await reader.until(() => reader.heard === total);

    for (const room of ROOMS) {
      const inOrder = inRoom(said.all, room);
      const wanted = inOrder.map(({ receipt, body }) => ({ seq: receipt.seq, id: receipt.id, ts: receipt.ts, body }));
      expect(heardIn(reader, room)).toEqual(wanted);
      expect(await historyOf(reader.client, room)).toEqual(wanted);
      expect(incarnationsOf(reader, room)).toHaveLength(1);
    }
    for (const { name } of publishers) expectInOrder(said.all, name);
    expect(reader.events.filter(({ type }) => type === 'gap' || type === 'forgotten')).toEqual([]);
    server.run.child.kill('SIGTERM');
    expect((await server.run.exit).code).toBe(0);
  });
});

interface Started {
  readonly run: Run;
  readonly port: number;
  readonly fingerprint: string;
}

async function startServer(account: Account, port: number): Promise<Started> {
  const run = account.start(['start', '--port', String(port), '--data-dir', join(account.home, 'data')]);
  await run.until(/\n/);
  const [, listens, fingerprint = ''] = /:(\d+)\?fp=(\S+)/.exec(run.stdout()) ?? [];
  return { run, port: Number(listens), fingerprint };
}

async function enterAll(server: Started, name: string): Promise<Watched> {
  const watched = await enterClient(server, name);
  for (const room of ROOMS) await watched.client.join(room);
  return watched;
}

/** What was acknowledged, and who waits for more. */
class Ledger {
  readonly all: Said[] = [];
  #wanted = Number.POSITIVE_INFINITY;
  #resolve = (): void => undefined;

  add(said: Said): void {
    this.all.push(said);
    if (this.all.length >= this.#wanted) this.#resolve();
  }

  /** Resolves with the acknowledgement that is so many further on. */
  next(count: number): Promise<void> {
    this.#wanted = this.all.length + count;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

/** Says one message after another in all rooms by turns, with some on the way at any time. */
class Publisher {
  readonly name: string;
  readonly #client: Client;
  readonly #said: Ledger;
  #isStopped = false;
  #count = 0;
  #lines: Promise<void>[] = [];

  constructor({ client }: Watched, said: Ledger) {
    this.name = client.name;
    this.#client = client;
    this.#said = said;
  }

  start(): void {
    this.#lines = Array.from({ length: IN_FLIGHT }, () => this.#run());
  }

  /** Resolves when everything is acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lines);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const n = this.#count;
      this.#count += 1;
      const room = ROOMS[n % ROOMS.length] as string;
      const body = `${this.name} ${n}`;
      this.#said.add({ room, body, receipt: await this.#client.say(room, body) });
    }
  }
}

function heardIn({ events }: Watched, room: string) {
  return events.flatMap((event) => {
    if (event.type !== 'message' || event.room !== room) return [];
    const { seq, id, ts, body } = event;
    return [{ seq, id, ts, body }];
  });
}

async function historyOf(client: Client, room: string) {
  const all: { seq: number; id: string; ts: number; body: string }[] = [];
  for (let beforeSeq: number | undefined; beforeSeq !== 1; ) {
    const page = await client.history(room, { beforeSeq, limit: 200 });
    all.unshift(...page.map(({ seq, id, ts, body }) => ({ seq, id, ts, body })));
    beforeSeq = page[0]?.seq ?? 1;
  }
  return all;
}

function incarnationsOf({ events }: Watched, room: string): string[] {
  const all = events.flatMap((event) =>
    event.type === 'joined' && event.room === room ? event.banner.incarnation : [],
  );
  return [...new Set(all)];
}

function inRoom(said: readonly Said[], room: string): Said[] {
  return said.filter((each) => each.room === room).sort((a, b) => Number(a.receipt.seq) - Number(b.receipt.seq));
}

/** Every seq was given once. */
function expectWhole(said: readonly Said[], room: string): void {
  const inOrder = inRoom(said, room);
  expect(inOrder.map(({ receipt }) => receipt.seq)).toEqual(inOrder.map((_, i) => i + 1));
}

/** What one publisher said in one room stands in the order in which it was said. */
function expectInOrder(said: readonly Said[], name: string): void {
  for (const room of ROOMS) {
    const numbers = inRoom(said, room)
      .filter(({ body }) => body.startsWith(`${name} `))
      .map(({ body }) => Number(body.split(' ')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
}
