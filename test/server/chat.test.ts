import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import type { RoomName, UserName } from '../../lib/protocol/names.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer, newIdentity, newMessageId, openPeer, type Peer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';

const DEN = 'den' as RoomName;
const hello = (name: string) => ({ type: 'hello', name: name as UserName, agent: 'test', password: null }) as const;
const seqsOf = (peer: Peer) =>
  peer.events.flatMap((event) => ('seq' in event && event.seq !== null ? [event.seq] : []));

describe('a name raced by fifty clients', () => {
  test('is had by one; the others are refused with the reason and closed, and nobody hears of them', async () => {
    const { port } = await startServer();
    const watcher = await enterPeer('watcher', { port });
    await watcher.join('lobby', true);
    const racers = await Promise.all(Array.from({ length: 50 }, () => openPeer({ port })));
    const answers = await Promise.all(
      racers.map(async (peer, i) => {
        const answer = await peer.ask(hello(i % 2 === 0 ? 'Prize' : 'pRIZE'));
        if (answer.type === 'ok')
          peer.send({ type: 'join', room: 'lobby' as RoomName, watch: false, code: null, create: null });
        else await peer.closed;
        return answer;
      }),
    );
    expect(answers.filter(({ type }) => type === 'ok')).toHaveLength(1);
    const codes = answers.flatMap((answer) => (answer.type === 'error' ? [answer.code] : []));
    expect(codes).toEqual(Array(49).fill(ERRORS.NAME_IN_USE.wire));
    await watcher.nextOf('presence', ({ changes }) => changes.some(({ name }) => name.toLowerCase() === 'prize'));
    const others = watcher.seen('presence').flatMap(({ changes }) => changes.filter(({ name }) => name !== 'watcher'));
    expect(others).toHaveLength(1);
  });
});

describe('a conversation', () => {
  test.each([1, 2, 3, 4])('goes over suite %i', async (suite) => {
    const { port } = await startServer();
    const [alice, bob] = [await enterPeer('alice', { port, suite }), await enterPeer('bob', { port, suite })];
    await alice.join('den');
    await bob.join('den');
    for (let i = 0; i < 20; i += 1) await (i % 2 === 0 ? alice : bob).say('den', `body ${i}`);
    await alice.settle();
    await bob.settle();
    for (const peer of [alice, bob]) expect(seqsOf(peer)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test('of many at once reaches everybody whole and in one order', async () => {
    const { port } = await startServer();
    const peers = await Promise.all(Array.from({ length: 8 }, (_, i) => enterPeer(`peer${i}`, { port })));
    for (const peer of peers) await peer.join('den');
    const each = 200;
    for (const peer of peers) {
      for (let i = 0; i < each; i += 1) {
        peer.send({ type: 'say', id: newMessageId(), again: false, room: DEN, kind: 'text', body: `${i}` });
      }
    }
    await Promise.all(peers.map((peer) => peer.next(() => seqsOf(peer).length === peers.length * each)));
    const bodies = new Map<number, string>();
    for (const peer of peers) {
      expect(seqsOf(peer)).toEqual(Array.from({ length: peers.length * each }, (_, i) => i + 1));
      for (const { seq, from, body } of peer.seen('message')) {
        expect(bodies.get(seq) ?? `${from} ${body}`).toBe(`${from} ${body}`);
        bodies.set(seq, `${from} ${body}`);
      }
    }
    // Each sender's own, as the others saw them, in the order of sending.
    for (const [i] of peers.entries()) {
      const mine = [...bodies].sort(([a], [b]) => a - b).filter(([, text]) => text.startsWith(`peer${i} `));
      expect(mine.map(([, text]) => Number(text.split(' ')[1]))).toEqual(Array.from({ length: each }, (_, n) => n));
    }
  });
});

describe('after a cut', () => {
  test('a client fetches what it missed, resends what was not answered, and nothing is lost or doubled', async () => {
    const { port } = await startServer();
    const identity = newIdentity();
    const bob = await enterPeer('bob', { port });
    const before = await bob.join('den');
    let alice = await enterPeer('alice', { port, identity });
    await alice.join('den');
    const sent = Array.from({ length: 30 }, (_, i) => ({ id: newMessageId(), body: `body ${i}` }));
    const answered = new Set<string>();
    let last = 0;
    for (let attempt = 0; answered.size < sent.length; attempt += 1) {
      const again = attempt > 0;
      const open = sent.filter(({ id }) => !answered.has(id));
      const reqs = new Map(
        open.map(({ id, body }) => [alice.send({ type: 'say', id, again, room: DEN, kind: 'text', body }), id]),
      );
      // Cut in the middle of the answers, until the last attempt.
      const wanted = Math.min(open.length, 7);
      const okays = () => alice.seen('ok').filter(({ req }) => reqs.has(req));
      await alice.next(() => okays().length >= wanted);
      for (const { req } of okays()) answered.add(reqs.get(req) ?? '');
      alice.transport.destroy();
      await alice.closed;
      await bob.say('den', `meanwhile ${attempt}`);
      alice = await enterPeer('alice', { port, identity });
      const { incarnation } = await alice.join('den');
      expect(incarnation).toBe(before.incarnation);
      await alice.ask({ type: 'history', room: DEN, after: last, before: null, sinceMs: null, limit: 200 });
      const page = alice.seen('history').flatMap(({ messages }) => messages);
      expect(page[0]?.seq ?? last + 1).toBe(last + 1);
      last = page.at(-1)?.seq ?? last;
    }
    await bob.ask({ type: 'history', room: DEN, after: 0, before: null, sinceMs: null, limit: 200 });
    const all = bob.seen('history').flatMap(({ messages }) => messages);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all.filter(({ from }) => from === 'alice').map(({ body }) => body)).toEqual(sent.map(({ body }) => body));
  });

  test('of everybody for too long the room is another, and says so', async () => {
    const clock = new ManualClock();
    const { port } = await startServer({ clock, idleTimeout: 10_000_000 });
    const alice = await enterPeer('alice', { port });
    const before = await alice.join('den');
    await alice.say('den', 'hello');
    alice.transport.destroy();
    const bob = await enterPeer('bob', { port });
    // The cut has been seen when the name is gone.
    while ((await bob.ask({ type: 'whois', name: 'alice' as UserName })).type === 'ok');
    clock.advance(600_000 - 1);
    await bob.settle();
    clock.advance(1);
    const after = await bob.join('den');
    expect(after).toMatchObject({ last: 0, role: 'owner' });
    expect(after.incarnation).not.toBe(before.incarnation);
  });
});

describe('a clock that jumps', () => {
  test('moves no deadline and never lets a room’s time go back', async () => {
    const clock = new ManualClock();
    const { port } = await startServer({ clock });
    const alice = await enterPeer('alice', { port });
    await alice.join('den');
    const times: number[] = [];
    for (const jumpMs of [0, 3_600_000, -86_400_000, 1e10, -3e10]) {
      clock.jump(jumpMs);
      await new Promise((resolve) => setImmediate(resolve));
      const answer = await alice.say('den', 'tick');
      if (answer.type === 'ok') times.push(answer.ts as number);
    }
    expect(times).toHaveLength(5);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe('the log', () => {
  test('never holds what people say, whatever happens to it', async () => {
    const identity = newIdentity();
    const { port, log } = await startServer({ admins: [identity.fingerprint], maxBodyBytes: 100 });
    const secret = 'xyzzy-plugh-7361';
    const [alice, root] = [await enterPeer('alice', { port }), await enterPeer('root', { port, identity })];
    await alice.join('den');
    await root.join('den');
    const id = newMessageId();
    await alice.say('den', secret, id);
    await alice.say('den', secret, id);
    await alice.say('den', `${secret}${'x'.repeat(200)}`);
    await alice.say('nowhere', secret);
    await alice.ask({ type: 'tell', id: newMessageId(), to: 'root' as UserName, kind: 'text', body: secret });
    await alice.ask({ type: 'tell', id: newMessageId(), to: 'nobody' as UserName, kind: 'text', body: secret });
    await alice.ask({ type: 'topic', room: DEN, topic: secret });
    await alice.ask({ type: 'away', text: secret });
    await root.ask({ type: 'kick', room: DEN, name: 'alice' as UserName, reason: 'noise' });
    const broken = Buffer.concat([Buffer.from([0, 0, 0, 20, 0x87, 0x14, 0x01]), Buffer.from(secret)]);
    alice.channel.sealMessages([broken, Buffer.alloc(20)]);
    await alice.closed;
    expect(log.text).toContain('"msg":"kicked"');
    expect(log.text).toContain('"code":"BAD_MESSAGE"');
    expect(log.text).not.toContain(secret);
    expect(log.text).not.toContain(Buffer.from(secret).toString('hex'));
  });

  test('lets nobody write a line of its own into it', async () => {
    const { port, log } = await startServer();
    const agent = '"}\n{"level":50,"msg":"forged"}\u001b[31m';
    const peer = await openPeer({ port });
    await peer.ask({ ...hello('alice'), agent });
    expect(log.text).toContain('forged');
    for (const line of log.text.trim().split('\n')) expect(JSON.parse(line).msg).not.toBe('forged');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(log.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
