import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import { RateLimit } from '../../../lib/server/hub/rate-limit.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import type { Ask } from '../../helpers/peer.ts';
import { type Answer, type Guest, HubHarness, newId } from './harness.ts';

const DEN = 'den' as RoomName;
const SLOW_DOWN = ERRORS.SLOW_DOWN.wire;
const LIMITS = { messagesPerSecond: 10, messageBurst: 5, bytesPerSecond: 1_000, byteBurst: 500 };

describe('a user’s allowance', () => {
  test('lets a burst through and then says how long to wait', () => {
    const limit = new RateLimit(LIMITS, new ManualClock());
    expect(Array.from({ length: 7 }, () => limit.take(1))).toEqual([0, 0, 0, 0, 0, 100, 100]);
  });

  test('fills up with time', () => {
    const clock = new ManualClock();
    const limit = new RateLimit(LIMITS, clock);
    for (let i = 0; i < 5; i += 1) limit.take(1);
    clock.advance(60_000);
    expect(Array.from({ length: 6 }, () => limit.take(1))).toEqual([0, 0, 0, 0, 0, 100]);
  });

  test('is of bytes too', () => {
    const limit = new RateLimit(LIMITS, new ManualClock());
    expect([limit.take(300), limit.take(300)]).toEqual([0, 100]);
  });

  test('lets a message through that is larger than the whole allowance, when it is full', () => {
    const clock = new ManualClock();
    const limit = new RateLimit(LIMITS, clock);
    expect(limit.take(1_000_000)).toBe(0);
    const waitMs = limit.take(1_000_000);
    expect(waitMs).toBe(500);
    clock.advance(waitMs);
    expect(limit.take(1_000_000)).toBe(0);
  });

  test('heeds no wall clock', () => {
    const clock = new ManualClock();
    const limit = new RateLimit(LIMITS, clock);
    for (let i = 0; i < 5; i += 1) limit.take(1);
    clock.jump(3_600_000);
    expect(limit.take(1)).toBeGreaterThan(0);
    clock.jump(-7_200_000);
    clock.advance(100);
    expect(limit.take(1)).toBe(0);
  });

  test('is never exceeded, and whoever waits as told is let through', () => {
    const rates = fc.record({
      messagesPerSecond: fc.integer({ min: 1, max: 1_000 }),
      messageBurst: fc.integer({ min: 1, max: 100 }),
      bytesPerSecond: fc.integer({ min: 1, max: 100_000 }),
      byteBurst: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(rates, fc.array(fc.nat({ max: 5_000 }), { minLength: 50, maxLength: 200 }), (limits, sizes) => {
        const clock = new ManualClock();
        const limit = new RateLimit(limits, clock);
        const startMs = clock.monotonicMs();
        let [messages, bytes] = [0, 0];
        for (const size of sizes) {
          const waitMs = limit.take(size);
          if (waitMs > 0) {
            clock.advance(waitMs);
            expect(limit.take(size)).toBe(0);
          }
          messages += 1;
          bytes += Math.min(size, limits.byteBurst);
        }
        const seconds = (clock.monotonicMs() - startMs) / 1_000;
        expect(messages).toBeLessThanOrEqual(limits.messageBurst + limits.messagesPerSecond * seconds + 1e-3);
        expect(bytes).toBeLessThanOrEqual(limits.byteBurst + limits.bytesPerSecond * seconds + 1e-3);
      }),
      { numRuns: 200 },
    );
  });
});

describe('who sends too fast', () => {
  async function inDen(options: object) {
    const harness = new HubHarness(options);
    const guest = await harness.enter('alice');
    await guest.join();
    return { harness, guest };
  }
  const codes = (answers: readonly Answer[]) => answers.map((answer) => (answer.type === 'ok' ? 'ok' : answer.code));

  test('is told to slow down and for how long, and loses nothing without being told', async () => {
    const { harness, guest } = await inDen({ messageBurst: 4, messagesPerSecond: 10 });
    const answers: Answer[] = [];
    for (let i = 0; i < 5; i += 1) answers.push(await guest.say(`body ${i}`));
    expect(codes(answers)).toEqual(['ok', 'ok', 'ok', SLOW_DOWN, SLOW_DOWN]);
    expect(answers[3]).toMatchObject({ retryAfterMs: 100, text: expect.stringContaining('100 ms') });
    await harness.pass(100);
    expect(await guest.say('again')).toMatchObject({ type: 'error', code: SLOW_DOWN });
  });

  test('has nothing let past a refused message until that has come again', async () => {
    const { harness, guest } = await inDen({ messageBurst: 3, messagesPerSecond: 10 });
    const ids = Array.from({ length: 5 }, newId);
    const sayAll = async (all: readonly string[]) => {
      const answers: Answer[] = [];
      for (const id of all) answers.push(await guest.say('', 'den', id));
      return codes(answers);
    };
    expect(await sayAll(ids.slice(0, 3))).toEqual(['ok', 'ok', SLOW_DOWN]);
    await harness.pass(5_000);
    expect(await sayAll([ids[3] as string])).toEqual([SLOW_DOWN]);
    const tell = { type: 'tell', to: 'alice' as UserName, kind: 'text', body: '', id: newId() } as const;
    expect(codes([await guest.ask(tell)])).toEqual([SLOW_DOWN]);
    expect(await sayAll([ids[2] as string, ids[3] as string])).toEqual(['ok', 'ok']);
  });

  test('who gave a refused message up is let go on after a while', async () => {
    const { harness, guest } = await inDen({ messageBurst: 2, messagesPerSecond: 10 });
    await guest.say('one');
    expect(codes([await guest.say('two')])).toEqual([SLOW_DOWN]);
    await harness.pass(10_099);
    expect(codes([await guest.say('three')])).toEqual([SLOW_DOWN]);
    await harness.pass(1);
    expect(codes([await guest.say('three')])).toEqual(['ok']);
  });

  test('may still make other requests when there is allowance again, and always ping', async () => {
    const { harness, guest } = await inDen({ messageBurst: 2, messagesPerSecond: 10 });
    await guest.say('one');
    await guest.say('two');
    expect(codes([await guest.ask({ type: 'names', room: DEN })])).toEqual([SLOW_DOWN]);
    for (let i = 0; i < 100; i += 1) expect(codes([await guest.ask({ type: 'ping' })])).toEqual(['ok']);
    await harness.pass(300);
    expect(codes([await guest.ask({ type: 'typing', room: DEN })])).toEqual(['ok']);
  });

  test('has one allowance in all its sessions, and takes nothing from others', async () => {
    const { harness, guest } = await inDen({ messageBurst: 2, messagesPerSecond: 10 });
    const [phone, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await guest.say('one');
    expect(codes([await phone.ask({ type: 'join', room: DEN, watch: false, code: null, create: null })])).toEqual([
      SLOW_DOWN,
    ]);
    await bob.join();
    expect(codes([await bob.say('hello')])).toEqual(['ok']);
  });

  test('pays for long messages and for long lists', async () => {
    const { guest } = await inDen({ byteBurst: 1_050, bytesPerSecond: 1_000 });
    expect(codes([await guest.say('x'.repeat(900)), await guest.say('')])).toEqual(['ok', SLOW_DOWN]);
    const crowd = new HubHarness({ byteBurst: 4_000, bytesPerSecond: 1_000 });
    const guests: Guest[] = await Promise.all(Array.from({ length: 100 }, (_, i) => crowd.enter(`guest${i}`)));
    for (const each of guests) await each.join();
    expect(codes([await (guests[0] as Guest).ask({ type: 'names', room: DEN })])).toEqual(['ok']);
    expect(codes([await (guests[0] as Guest).ask({ type: 'names', room: DEN })])).toEqual([SLOW_DOWN]);
  });

  test('pays for what is published as for what is said', async () => {
    const { guest } = await inDen({ byteBurst: 1_050, bytesPerSecond: 1_000 });
    const publish = (body: string): Ask => ({ type: 'publish', id: newId(), kind: 'text', body });
    expect(codes([await guest.ask(publish('x'.repeat(900))), await guest.ask(publish(''))])).toEqual(['ok', SLOW_DOWN]);
  });

  test('pays for all that receipts count, however few are told', async () => {
    const { harness, guest } = await inDen({ byteBurst: 20_000, bytesPerSecond: 1_000 });
    const marks = harness.hub.rooms.find(DEN)?.marks;
    for (let i = 0; i < 2_000; i += 1) marks?.set(`who ${i}`, { name: 'who' as UserName, delivered: 0, read: 0 }, 0);
    const receipts: Ask = { type: 'receipts', room: DEN, seq: 9 };
    expect(codes([await guest.ask(receipts), await guest.ask(receipts)])).toEqual(['ok', SLOW_DOWN]);
  });
});
