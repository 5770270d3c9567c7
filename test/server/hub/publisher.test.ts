import { describe, expect, test } from 'vitest';
import { BcastError, ERRORS } from '../../../lib/errors.ts';
import { HubHarness, newId } from './harness.ts';

const INTERNAL = ERRORS.INTERNAL.wire;
const UNAVAILABLE = ERRORS.UNAVAILABLE.wire;
const SLOW_DOWN = ERRORS.SLOW_DOWN.wire;

async function threeInADen(options = {}) {
  const harness = new HubHarness(options);
  const [alice, bob, carol] = [await harness.enter('alice'), await harness.enter('bob'), await harness.enter('carol')];
  for (const guest of [alice, bob, carol]) await guest.join();
  return { harness, alice, bob, carol };
}

describe('a message', () => {
  test('is answered with its seq and time, and goes to everybody else', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    const id = newId();
    expect(await alice.say('hello', 'den', id)).toMatchObject({ type: 'ok', seq: 1, ts: harness.clock.nowMs() });
    const message = { room: 'den', from: 'alice', kind: 'text', seq: 1, id, body: 'hello', fp: alice.session.user.fp };
    expect(bob.seen('message')).toEqual([expect.objectContaining(message)]);
    expect(carol.seen('message')).toEqual(bob.seen('message'));
    expect(alice.seen('message')).toEqual([]);
  });

  test('goes to the other sessions of its sender', async () => {
    const { harness, alice } = await threeInADen();
    const window = await harness.enter('alice');
    await window.join();
    await alice.say('hello');
    expect(window.bodies()).toEqual(['hello']);
  });

  test('goes only to its room', async () => {
    const { harness, alice } = await threeInADen();
    const dave = await harness.enter('dave');
    await dave.join('elsewhere');
    await alice.say('hello');
    expect(dave.bodies()).toEqual([]);
  });

  test('is not answered before it is stored', async () => {
    const { harness, alice, bob } = await threeInADen();
    const gate = harness.store.hold('append');
    const { req } = alice.startSay('hello');
    await harness.endTurn();
    expect(alice.answersTo(req)).toEqual([]);
    expect(bob.bodies()).toEqual([]);
    gate.release();
    await harness.endTurn();
    expect(alice.answersTo(req)).toMatchObject([{ type: 'ok', seq: 1 }]);
    expect(bob.bodies()).toEqual(['hello']);
  });
});

describe('everybody in a room', () => {
  test('sees every seq once and in order, senders their own as ok', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    for (let round = 0; round < 5; round += 1) {
      for (const guest of [alice, bob, alice, bob, bob]) guest.startSay(`from ${guest.session.user.name}`);
      await harness.endTurn();
    }
    const seqs = Array.from({ length: 25 }, (_, i) => i + 1);
    for (const guest of [alice, bob, carol]) {
      const seen = guest.events.flatMap((event) => ('seq' in event && event.seq !== null ? [event.seq] : []));
      expect(seen).toEqual(seqs);
    }
  });

  test('who came while a message was being stored gets it live, behind what joined says', async () => {
    const { harness, alice } = await threeInADen();
    await alice.say('one');
    const gate = harness.store.hold('append');
    alice.startSay('two');
    await harness.endTurn();
    const dave = await harness.enter('dave');
    expect(await dave.join()).toMatchObject({ last: 1 });
    gate.release();
    await harness.endTurn();
    expect(dave.seen('message')).toMatchObject([{ seq: 2, body: 'two' }]);
  });

  test('who left while a message was being stored hears of it no more', async () => {
    const { harness, alice, bob } = await threeInADen();
    const gate = harness.store.hold('append');
    alice.startSay('two');
    await harness.endTurn();
    expect(await bob.ask({ type: 'leave', room: 'den' as never })).toMatchObject({ type: 'ok' });
    gate.release();
    await harness.endTurn();
    expect(bob.bodies()).toEqual([]);
  });
});

describe('a resent message', () => {
  test('is answered as the first time and goes to nobody', async () => {
    const { harness, alice, bob } = await threeInADen();
    const id = newId();
    const first = await alice.say('hello', 'den', id);
    harness.clock.advance(5_000);
    const second = await alice.say('hello', 'den', id);
    expect(second).toMatchObject({ type: 'ok', seq: (first as { seq: number }).seq, ts: (first as { ts: number }).ts });
    expect(bob.bodies()).toEqual(['hello']);
  });

  test('is recognised in the very same round', async () => {
    const { harness, alice, bob } = await threeInADen();
    const id = newId();
    const reqs = [alice.startSay('hello', 'den', id), alice.startSay('hello', 'den', id), alice.startSay('next')];
    await harness.endTurn();
    expect(reqs.flatMap(({ req }) => alice.answersTo(req))).toMatchObject([{ seq: 1 }, { seq: 1 }, { seq: 2 }]);
    expect(bob.bodies()).toEqual(['hello', 'next']);
  });

  test('is recognised from another session of the sender, not from somebody else', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    const id = newId();
    await alice.say('hello', 'den', id);
    alice.leave();
    const again = await harness.enter('alice');
    await again.join();
    expect(await again.say('hello', 'den', id)).toMatchObject({ seq: 1 });
    expect(await bob.say('mine', 'den', id)).toMatchObject({ seq: 2 });
    expect(carol.bodies()).toEqual(['hello', 'mine']);
  });
});

describe('when the store fails', () => {
  test('every sender of the round is told so, once, and the next round works', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    const gate = harness.store.hold('append');
    const reqs = [alice.startSay('one'), alice.startSay('two')];
    const { req } = bob.startSay('three');
    await harness.endTurn();
    gate.fail();
    await harness.endTurn();
    expect(reqs.flatMap((each) => alice.answersTo(each.req))).toMatchObject([{ code: INTERNAL }, { code: INTERNAL }]);
    expect(bob.answersTo(req)).toMatchObject([{ code: INTERNAL }]);
    expect(carol.bodies()).toEqual([]);
    expect(await alice.say('four')).toMatchObject({ type: 'ok', seq: 1 });
    expect(carol.bodies()).toEqual(['four']);
    expect(harness.log.text).toContain('messages could not be stored');
    expect(harness.log.text).not.toContain('one');
  });

  test('a round that waited behind it is stored', async () => {
    const { harness, alice, carol } = await threeInADen();
    const gate = harness.store.hold('append');
    const first = alice.startSay('one');
    await harness.endTurn();
    const second = alice.startSay('two');
    gate.fail();
    await harness.endTurn();
    expect(alice.answersTo(first.req)).toMatchObject([{ type: 'error', code: INTERNAL }]);
    expect(alice.answersTo(second.req)).toMatchObject([{ type: 'ok', seq: 1 }]);
    expect(carol.bodies()).toEqual(['two']);
  });

  test('for now, what the sender said behind it waits until it has come again, and others do not', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    for (const guest of [alice, carol]) await guest.join('attic');
    const gate = harness.store.hold('append');
    const [oneId, twoId, threeId] = [newId(), newId(), newId()];
    const one = alice.startSay('one', 'den', oneId);
    await harness.endTurn();
    const two = alice.startSay('two', 'den', twoId);
    bob.startSay('bob');
    gate.fail(new BcastError('UNAVAILABLE', { retryAfterMs: 1_000 }));
    await harness.endTurn();
    for (const { req } of [one, two])
      expect(alice.answersTo(req)).toMatchObject([{ code: UNAVAILABLE, retryAfterMs: 1_000 }]);
    // Sent before alice could know.
    expect(await alice.say('three', 'den', threeId)).toMatchObject({ code: SLOW_DOWN, retryAfterMs: 1_000 });
    expect(await alice.say('elsewhere', 'attic')).toMatchObject({ type: 'ok' });
    for (const [body, id] of [
      ['one', oneId],
      ['two', twoId],
      ['three', threeId],
    ] as const)
      expect(await alice.say(body, 'den', id)).toMatchObject({ type: 'ok' });
    expect(carol.bodies()).toEqual(['bob', 'elsewhere', 'one', 'two', 'three']);
  });

  test('for now, and the message does not come again, the others behind it are let through after a while', async () => {
    const { harness, alice } = await threeInADen();
    const gate = harness.store.hold('append');
    alice.startSay('given up');
    await harness.endTurn();
    gate.fail(new BcastError('UNAVAILABLE', { retryAfterMs: 1_000 }));
    await harness.endTurn();
    await harness.pass(10_999);
    expect(await alice.say('behind it')).toMatchObject({ code: SLOW_DOWN });
    await harness.pass(1);
    expect(await alice.say('behind it')).toMatchObject({ type: 'ok', seq: 1 });
  });

  test('a sender who is gone is no trouble', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    const gate = harness.store.hold('append');
    alice.startSay('one');
    await harness.endTurn();
    alice.leave();
    gate.fail();
    await harness.endTurn();
    expect(await bob.say('two')).toMatchObject({ seq: 1 });
    expect(carol.bodies()).toEqual(['two']);
  });
});

describe('a sender', () => {
  test('who is gone when its message is stored gets no answer, and the others get the message', async () => {
    const { harness, alice, bob } = await threeInADen();
    const gate = harness.store.hold('append');
    const { req } = alice.startSay('last words');
    await harness.endTurn();
    alice.leave();
    gate.release();
    await harness.endTurn();
    expect(alice.answersTo(req)).toEqual([]);
    expect(bob.bodies()).toEqual(['last words']);
  });

  test('who is kicked while its message is stored gets the answer and nothing else of the room', async () => {
    const { harness, alice, bob, carol } = await threeInADen();
    const gate = harness.store.hold('append');
    const { req } = bob.startSay('rude');
    carol.startSay('polite');
    await harness.endTurn();
    await alice.ask({ type: 'kick', room: 'den' as never, name: 'bob' as never, reason: null });
    gate.release();
    await harness.endTurn();
    expect(bob.answersTo(req)).toMatchObject([{ type: 'ok', seq: 1 }]);
    expect(bob.bodies()).toEqual([]);
    expect(alice.bodies()).toEqual(['rude', 'polite']);
  });

  test('who changes its name meanwhile has said it under the old one', async () => {
    const { harness, alice, bob } = await threeInADen();
    const window = await harness.enter('alice');
    const gate = harness.store.hold('append');
    alice.startSay('before');
    await harness.endTurn();
    await window.ask({ type: 'nick', name: 'alicia' as never });
    gate.release();
    await harness.endTurn();
    await alice.say('after');
    expect(bob.seen('message')).toMatchObject([
      { from: 'alice', body: 'before' },
      { from: 'alicia', body: 'after' },
    ]);
  });

  test('has its requests done in order: what is asked behind a message waits for it', async () => {
    const { harness, alice } = await threeInADen();
    const gate = harness.store.hold('append');
    const say = alice.startSay('hello');
    const topic = alice.start({ type: 'topic', room: 'den' as never, topic: 'Tea' });
    await harness.endTurn();
    expect(alice.answersTo(topic.req)).toEqual([]);
    gate.release();
    await harness.endTurn();
    expect(alice.answersTo(topic.req)).toMatchObject([{ type: 'ok' }]);
    expect(alice.events.findIndex((event) => event.type === 'ok' && event.req === say.req)).toBeLessThan(
      alice.events.findIndex((event) => event.type === 'ok' && event.req === topic.req),
    );
  });

  test('has only so many messages on the way to the store; then it must wait', async () => {
    const { harness, alice } = await threeInADen({ messageBurst: 10_000 });
    const gate = harness.store.hold('append');
    let waits = 0;
    for (let i = 0; i < 1_030 && waits === 0; i += 1) {
      const work = harness.hub.handle(alice.session, {
        type: 'say',
        again: false,
        req: i,
        id: newId(),
        room: 'den' as never,
        kind: 'text',
        body: '',
      });
      if (work !== undefined) waits = i;
    }
    expect(waits).toBe(1_024);
    gate.release();
    await harness.endTurn();
    expect(alice.seen('ok').filter(({ seq }) => seq !== null)).toHaveLength(1_025);
  });
});

describe('many who speak at once', () => {
  test('cost each other views of one piece of memory, not copies', async () => {
    const harness = new HubHarness();
    const guests = await Promise.all(Array.from({ length: 40 }, (_, i) => harness.enter(`guest${i}`)));
    for (const guest of guests) await guest.join();
    const memory = new Set<ArrayBufferLike>();
    let copied = 0;
    for (const guest of guests) {
      guest.events.length = 0;
      const sendRoom = guest.sendRoom.bind(guest);
      guest.sendRoom = (room, bytes) => {
        if (!memory.has(bytes.buffer)) copied += bytes.buffer.byteLength;
        memory.add(bytes.buffer);
        sendRoom(room, bytes);
      };
      for (let i = 0; i < 3; i += 1) guest.startSay('x'.repeat(1_000));
    }
    await harness.endTurn();
    expect(copied).toBeLessThan(40 * 3 * 1_200);
    for (const guest of guests) {
      const seqs = guest.events.flatMap((event) => ('seq' in event && event.seq !== null ? [event.seq] : []));
      expect(seqs).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    }
  });

  test('are given their answers in place also when some of what they say came before', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join();
    await bob.join();
    const id = newId();
    await alice.say('known', 'den', id);
    alice.events.length = 0;
    bob.events.length = 0;
    bob.startSay('b1');
    alice.startSay('a1');
    alice.startSay('known', 'den', id);
    alice.startSay('a2');
    bob.startSay('b2');
    bob.startSay('b3');
    alice.startSay('a3');
    await harness.endTurn();
    const heard = (guest: typeof alice) =>
      guest.events.map((event) => (event.type === 'ok' ? event.seq : (event as { body: string }).body));
    expect(heard(alice)).toEqual(['b1', 3, 1, 4, 'b2', 'b3', 7]);
    expect(heard(bob)).toEqual([2, 'a1', 'a2', 5, 6, 'a3']);
  });

  test('with long bodies are held back sooner', async () => {
    const { harness, alice } = await threeInADen({ messageBurst: 10_000, byteBurst: 1e9 });
    const gate = harness.store.hold('append');
    for (let i = 0; i < 16; i += 1) alice.startSay('x'.repeat(16_384));
    const { req, done } = alice.startSay('x'.repeat(16_384));
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    await harness.endTurn();
    expect([isDone, alice.answersTo(req)]).toEqual([false, []]);
    gate.release();
    await harness.endTurn();
    expect(alice.answersTo(req)).toMatchObject([{ type: 'ok' }]);
  });
});
