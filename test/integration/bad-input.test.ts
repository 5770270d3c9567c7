import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { encodeRequest } from '../../lib/protocol/codec.ts';
import type { Request } from '../../lib/protocol/messages.ts';
import type { RoomName, UserName } from '../../lib/protocol/names.ts';
import { type Ask, enterPeer, newIdentity, newMessageId, openPeer, type Peer } from '../helpers/peer.ts';
import { anyRequest } from '../protocol/samples.ts';
import { prefix, startAttacked } from './under-attack.ts';

const PARLOUR = 'parlour' as RoomName;
const DEN = 'den' as RoomName;
const everything = { after: 0, before: null, sinceMs: null, limit: 200 } as const;

/** What terminals act on, and what turns text around. */
const NASTY = [
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u009b31m',
  '\u0000',
  '\r',
  '\u0008',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u200b',
  '\ufeff',
  '\u2028',
];

async function answersOf(peer: Peer, reqs: readonly number[]): Promise<string[]> {
  const last = reqs.at(-1);
  await peer.next((event) => (event.type === 'ok' || event.type === 'error') && event.req === last);
  return reqs.map((req) => {
    const answers = peer.events.filter((event) => (event.type === 'ok' || event.type === 'error') && event.req === req);
    expect(answers).toHaveLength(1);
    const [answer] = answers;
    return answer?.type === 'error' ? String(answer.code) : 'ok';
  });
}

describe('floods', () => {
  test('of every kind of request are answered one by one, and the others keep talking', async () => {
    const attacked = await startAttacked({ messageBurst: 500, messagesPerSecond: 100, bytesPerSecond: 100_000 });
    await attacked.bob.settle();
    const mallory = await enterPeer('mallory', attacked);
    await mallory.join('den');
    const asks: Ask[] = [
      { type: 'ping' },
      { type: 'say', id: newMessageId(), again: true, room: DEN, kind: 'text', body: 'flood' },
      { type: 'tell', id: newMessageId(), to: 'nobody' as UserName, kind: 'text', body: 'flood' },
      { type: 'names', room: DEN },
      { type: 'rooms' },
      { type: 'whois', name: 'alice' as UserName },
      { type: 'typing', room: DEN },
      { type: 'join', room: DEN, watch: true, code: null, create: null },
      { type: 'history', room: DEN, ...everything },
      { type: 'nick', name: 'mallory2' as UserName },
      { type: 'topic', room: DEN, topic: 'flood' },
      { type: 'away', text: 'flood' },
      { type: 'kick', room: PARLOUR, name: 'alice' as UserName, reason: null },
      { type: 'ban', room: null, target: 'alice', durationMs: null, reason: null, penalty: 'ban' },
      { type: 'hello', name: 'alice' as UserName, agent: '', password: null },
    ];
    const reqs = Array.from({ length: 15_000 }, (_, i) => mallory.send(asks[i % asks.length] as Ask));
    const answers = await answersOf(mallory, reqs);
    expect(answers.filter((answer) => answer === String(ERRORS.SLOW_DOWN.wire)).length).toBeGreaterThan(5_000);
    expect(answers.filter((_, i) => i % asks.length === 0)).toEqual(Array(1_000).fill('ok'));
    await attacked.expectUnhurt();
  }, 60_000);

  test('of connections that come and go leave nothing behind', async () => {
    const attacked = await startAttacked();
    for (let round = 0; round < 20; round += 1) {
      const peers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const peer = await enterPeer(`guest${i}`, { port: attacked.port, suite: 1 });
          await peer.join(`room${round % 7}`);
          return peer;
        }),
      );
      for (const peer of peers) peer.transport.destroy();
      // The next fifty bear the same names, under other keys: they are free when the connections are seen to be gone.
      for (const name of peers.map((_, i) => `guest${i}` as UserName)) {
        while ((await attacked.bob.ask({ type: 'whois', name })).type === 'ok') attacked.bob.events.splice(0, 0);
      }
      attacked.bob.events.splice(0, attacked.bob.events.length, ...attacked.bob.seen('message'));
    }
    await attacked.expectUnhurt();
    await attacked.stop();
    expect(attacked.log.text).toContain('"sessions":2,"msg":"shutting down"');
  }, 60_000);
});

describe('a client that never reads', () => {
  test.each([
    ['history', { type: 'history', room: DEN, ...everything }],
    ['names', { type: 'names', room: DEN }],
    ['rooms', { type: 'rooms' }],
  ] as const)(
    'and asks for %s in a loop costs bounded memory and hurts nobody',
    async (_what, ask) => {
      const attacked = await startAttacked({ historyMessages: 200 });
      const mallory = await enterPeer('mallory', attacked);
      await mallory.join('den');
      for (let i = 0; i < 50; i += 1) await mallory.say('den', 'x'.repeat(16_384));
      const before = memory();
      mallory.transport.pause();
      // Answered all, histories alone would come to 8 GB.
      for (let i = 0; i < 10_000; i += 1) mallory.send(ask);
      for (let i = 0; i < 20; i += 1) await attacked.bob.settle();
      expect(memory() - before).toBeLessThan(300e6);
      mallory.transport.destroy();
      await attacked.expectUnhurt();
    },
    60_000,
  );

  test('is left out of what others say, at bounded cost, and catches up from history', async () => {
    const attacked = await startAttacked({ historyMessages: 200 });
    const [mallory, carol] = [await enterPeer('mallory', attacked), await enterPeer('carol', attacked)];
    await mallory.join('den');
    await carol.join('den');
    mallory.transport.pause();
    const before = memory();
    for (let i = 0; i < 200; i += 1) {
      await Promise.all(Array.from({ length: 20 }, () => carol.say('den', 'x'.repeat(16_000))));
      carol.events.length = 0;
    }
    expect(memory() - before).toBeLessThan(300e6);
    mallory.transport.resume();
    const { dropped } = await mallory.nextOf('lagged');
    await mallory.settle();
    expect(mallory.seen('message').length + dropped).toBe(4_000);
    await mallory.ask({ type: 'history', room: DEN, ...everything, after: 3_900 });
    expect(mallory.seen('history').flatMap(({ messages }) => messages.map(({ seq }) => seq))).toEqual(
      Array.from({ length: 100 }, (_, i) => 3_901 + i),
    );
    await attacked.expectUnhurt();
  }, 60_000);

  test('is not filled up by private messages from many', async () => {
    const attacked = await startAttacked();
    const mallory = await enterPeer('mallory', attacked);
    const accomplices = await Promise.all(Array.from({ length: 10 }, (_, i) => enterPeer(`accomplice${i}`, attacked)));
    mallory.transport.pause();
    const before = memory();
    const answers = await Promise.all(
      accomplices.map((peer) => {
        const tell = (): Ask => ({
          type: 'tell',
          id: newMessageId(),
          to: 'mallory' as UserName,
          kind: 'text',
          body: 'x'.repeat(16_000),
        });
        return answersOf(
          peer,
          Array.from({ length: 500 }, () => peer.send(tell())),
        );
      }),
    );
    expect(memory() - before).toBeLessThan(300e6);
    expect(answers.flat().filter((answer) => answer === String(ERRORS.NOT_DELIVERED.wire)).length).toBeGreaterThan(
      3_000,
    );
    mallory.transport.resume();
    await mallory.settle();
    expect(mallory.seen('private')).toHaveLength(answers.flat().filter((answer) => answer === 'ok').length);
    await attacked.expectUnhurt();
  }, 60_000);
});

describe('names and texts', () => {
  test('full of terminal escapes and bidi marks are no names, and no refusal repeats them', async () => {
    const attacked = await startAttacked();
    for (const nasty of NASTY) {
      const peer = await openPeer(attacked);
      const answer = await peer.ask({ type: 'hello', name: `a${nasty}b` as UserName, agent: nasty, password: null });
      expect(answer).toMatchObject({ code: ERRORS.NAME_INVALID.wire });
      await peer.closed;
    }
    const mallory = await enterPeer('mallory', attacked);
    await mallory.join('den');
    for (const nasty of NASTY) {
      const name = `a${nasty}b`;
      const asks: Ask[] = [
        { type: 'join', room: name as RoomName, watch: false, code: null, create: null },
        { type: 'nick', name: name as UserName },
        { type: 'whois', name: name as UserName },
        { type: 'kick', room: DEN, name: name as UserName, reason: nasty },
        { type: 'ban', room: DEN, target: name, durationMs: null, reason: nasty, penalty: 'ban' },
        { type: 'unban', room: DEN, target: name, penalty: 'ban' },
        { type: 'tell', id: newMessageId(), to: name as UserName, kind: 'text', body: nasty },
      ];
      for (const ask of asks) expect(await mallory.ask(ask)).toMatchObject({ type: 'error' });
    }
    for (const { text } of mallory.seen('error')) for (const nasty of NASTY) expect(text).not.toContain(nasty);
    await attacked.expectUnhurt();
  });

  test('of any kind arrive in a message as they were sent: what is shown is the client’s to decide', async () => {
    const attacked = await startAttacked();
    const [mallory, carol] = [await enterPeer('mallory', attacked), await enterPeer('carol', attacked)];
    await mallory.join('den');
    await carol.join('den');
    const bodies = [...NASTY, NASTY.join('x'), '\ud83d\ude00', '', ' ', '\u0000'.repeat(1_000)];
    for (const body of bodies) expect(await mallory.say('den', body)).toMatchObject({ type: 'ok' });
    await mallory.ask({ type: 'topic', room: DEN, topic: NASTY.join('') });
    await carol.settle();
    expect(carol.seen('message').map(({ body }) => body)).toEqual(bodies);
    expect(carol.seen('topic')).toMatchObject([{ topic: NASTY.join('') }]);
    await attacked.expectUnhurt();
  });

  test('with lone surrogates arrive as replacement characters and break nothing', async () => {
    const attacked = await startAttacked();
    const [mallory, carol] = [await enterPeer('mallory', attacked), await enterPeer('carol', attacked)];
    await mallory.join('den');
    await carol.join('den');
    for (const body of ['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(169)}\ud83d`])
      await mallory.say('den', body);
    await carol.settle();
    expect(carol.seen('message').map(({ body }) => body.includes('\uFFFD'))).toEqual([true, true, true, true]);
    // Surrogates in UTF-8 itself are no text at all.
    const away = Buffer.from('83181801 63eda080'.replace(' ', ''), 'hex');
    mallory.channel.sealMessages([prefix(away.length), away]);
    await mallory.closed;
    expect(mallory.seen('error').at(-1)).toMatchObject({ req: null, code: ERRORS.BAD_MESSAGE.wire });
    await attacked.expectUnhurt();
  });

  test('that are too long are refused with the limit, or end the connection past what the protocol allows', async () => {
    const attacked = await startAttacked();
    const mallory = await enterPeer('mallory', attacked);
    await mallory.join('den');
    expect(await mallory.say('den', 'x'.repeat(16_384))).toMatchObject({ type: 'ok' });
    expect(await mallory.say('den', 'x'.repeat(16_385))).toMatchObject({ code: ERRORS.MESSAGE_TOO_LARGE.wire });
    expect(await mallory.say('den', 'x'.repeat(65_536))).toMatchObject({ code: ERRORS.MESSAGE_TOO_LARGE.wire });
    expect(await mallory.say('den', 'x'.repeat(65_537))).toMatchObject({ code: ERRORS.BAD_MESSAGE.wire });
    await mallory.closed;
    await attacked.expectUnhurt();
  });
});

describe('requests out of place', () => {
  test('before the hello close, whatever they are but the one question that strangers may ask', async () => {
    const attacked = await startAttacked();
    await fc.assert(
      fc.asyncProperty(anyRequest, async ({ value }) => {
        fc.pre(value.type !== 'hello' && value.type !== 'status');
        const peer = await openPeer({ port: attacked.port, suite: 1 });
        peer.channel.sealMessages([encodeRequest(value)]);
        await peer.closed;
        expect(peer.events).toMatchObject([
          { type: 'error', req: value.req, code: ERRORS.NOT_READY.wire },
          { type: 'error', req: null, code: ERRORS.NOT_READY.wire },
        ]);
      }),
      { numRuns: 40 },
    );
    await attacked.expectUnhurt();
  });

  test('a second hello is refused and changes nothing', async () => {
    const attacked = await startAttacked();
    const mallory = await enterPeer('mallory', attacked);
    const again = await mallory.ask({ type: 'hello', name: 'alice' as UserName, agent: '', password: null });
    expect(again).toMatchObject({ code: ERRORS.BAD_REQUEST.wire });
    expect(await mallory.ask({ type: 'whois', name: 'mallory' as UserName })).toMatchObject({ type: 'ok' });
    await attacked.expectUnhurt();
  });

  test('of every kind and with anything in them are answered once each, by somebody who is nobody here', async () => {
    const attacked = await startAttacked({ maxRooms: 50 });
    const samples = requestsAboutOthers(7);
    const mallory = await enterPeer('mallory', attacked);
    const reqs = samples.map((value, i) => {
      mallory.channel.sealMessages([encodeRequest({ ...value, req: 100_000 + i } as Request)]);
      return 100_000 + i;
    });
    const answers = await answersOf(mallory, reqs);
    expect(answers).not.toContain(String(ERRORS.INTERNAL.wire));
    expect(answers).not.toContain(String(ERRORS.BAD_MESSAGE.wire));
    expect(new Set(answers).size).toBeGreaterThan(4);
    await attacked.expectUnhurt();
  });

  test('of every kind and with anything in them are answered once each, by somebody who may do everything', async () => {
    const identity = newIdentity();
    const attacked = await startAttacked({ admins: [identity.fingerprint], maxRooms: 50 });
    const samples = requestsAboutOthers(11);
    const root = await enterPeer('root', { port: attacked.port, identity });
    await root.join('den');
    const reqs = samples.map((value, i) => {
      // Into the room that is there, now and then, so that it is about something.
      const aimed = 'room' in value && i % 2 === 0 ? { ...value, room: DEN } : value;
      root.channel.sealMessages([encodeRequest({ ...aimed, req: 100_000 + i } as Request)]);
      return 100_000 + i;
    });
    const answers = await answersOf(root, reqs);
    expect(answers).not.toContain(String(ERRORS.INTERNAL.wire));
    await attacked.expectUnhurt();
  });

  test('a message id that is somebody else’s takes nothing from them', async () => {
    const attacked = await startAttacked();
    const [mallory, carol, dave] = [
      await enterPeer('mallory', attacked),
      await enterPeer('carol', attacked),
      await enterPeer('dave', attacked),
    ];
    for (const peer of [mallory, carol, dave]) await peer.join('den');
    const id = newMessageId();
    expect(await carol.say('den', 'mine', id)).toMatchObject({ seq: 1 });
    expect(await mallory.say('den', 'no, mine', id)).toMatchObject({ seq: 2 });
    expect(await carol.say('den', 'mine', id)).toMatchObject({ seq: 1 });
    await dave.settle();
    expect(dave.seen('message').map(({ body }) => body)).toEqual(['mine', 'no, mine']);
    await attacked.expectUnhurt();
  });
});

/** Anything at all, except what rightly reaches the two who are talking. */
function requestsAboutOthers(seed: number): Request[] {
  const samples = fc.sample(anyRequest, { numRuns: 1_500, seed }).map(({ value }) => value);
  return samples.filter((value) => !JSON.stringify(value).includes('alice'));
}

/** What this process, the server in it, holds on to, as far as it knows; in bytes. */
function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
