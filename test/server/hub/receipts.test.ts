import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import { Marks } from '../../../lib/server/hub/marks.ts';
import type { Ask } from '../../helpers/peer.ts';
import { type Guest, HubHarness } from './harness.ts';

const DEN = 'den' as RoomName;
const mark = (delivered: number, read: number): Ask => ({ type: 'mark', room: DEN, delivered, read });

async function receipts(guest: Guest, seq: number) {
  await guest.ask({ type: 'receipts', room: DEN, seq });
  const { members, delivered, read, readers } = guest.seen('receipts').at(-1) as NonNullable<unknown> &
    Record<string, unknown>;
  return { members, delivered, read, readers };
}

async function inADen(harness = new HubHarness()) {
  const guests = [await harness.enter('alice'), await harness.enter('bob'), await harness.enter('carol')] as const;
  for (const guest of guests) await guest.join();
  const [alice, bob, carol] = guests;
  return { harness, alice, bob, carol };
}

describe('receipts', () => {
  test('say how many have a message, and who has read it, without who asks', async () => {
    const { alice, bob, carol } = await inADen();
    for (const body of ['one', 'two']) await alice.say(body);
    expect(await receipts(alice, 1)).toEqual({ members: 2, delivered: 0, read: 0, readers: [] });
    await alice.ask(mark(2, 2));
    await bob.ask(mark(2, 1));
    await carol.ask(mark(1, 0));
    expect(await receipts(alice, 1)).toEqual({ members: 2, delivered: 2, read: 1, readers: ['bob'] });
    expect(await receipts(alice, 2)).toEqual({ members: 2, delivered: 1, read: 0, readers: [] });
  });

  test('never go back, and never past what there is', async () => {
    const { alice, bob } = await inADen();
    await alice.say('one');
    await bob.ask(mark(99, 99));
    await bob.ask(mark(0, 0));
    await alice.say('two');
    expect(await receipts(alice, 1)).toMatchObject({ delivered: 1, read: 1 });
    expect(await receipts(alice, 2)).toMatchObject({ delivered: 0, read: 0 });
  });

  test('count who has left, and last over a restart', async () => {
    const { harness, alice, bob } = await inADen();
    await alice.say('one');
    await bob.ask(mark(1, 1));
    bob.leave();
    expect(await receipts(alice, 1)).toMatchObject({ members: 2, delivered: 1, readers: ['bob'] });
    await harness.hub.stop();
    const after = new HubHarness({}, harness.store);
    const again = await after.enter('alice');
    await again.join();
    expect(await receipts(again, 1)).toMatchObject({ delivered: 1, readers: ['bob'] });
  });

  test('are saved now and then, and only what has changed', async () => {
    const { harness, alice, bob } = await inADen();
    await harness.hub.start();
    await alice.say('one');
    await harness.pass(10_000);
    expect(await harness.store.get('read', 'den')).toBeNull();
    await bob.ask(mark(1, 1));
    await harness.pass(10_000);
    const saved = await harness.store.get('read', 'den');
    expect(saved?.value).toHaveLength(1);
    await harness.pass(10_000);
    expect(await harness.store.get('read', 'den')).toEqual(saved);
  });

  test('of a thousand members cost a mark each and nothing for the others', async () => {
    const marks = new Marks();
    for (let i = 0; i < 5_000; i += 1) marks.set(`user ${i}`, { name: 'x' as never, delivered: 1, read: 0 }, 1);
    expect([...marks.subjects]).toHaveLength(3_000);
    expect(marks.has('user 4999')).toBe(true);
    const rows = marks.save() as unknown[];
    const loaded = new Marks();
    loaded.load([...rows, 'nonsense', [1, 2, 3, 4], ['a', 'not a name', 1, 1], ['a', 'b', -1.5, 'x']]);
    expect(loaded.at(1, '').delivered).toBeGreaterThan(2_990);
  });
});

describe('a search', () => {
  test('finds what was said in a room one is in, and says how far it looked', async () => {
    const { alice } = await inADen();
    for (const body of ['The build is green', 'lunch?', 'build again']) await alice.say(body);
    await alice.ask({ type: 'search', room: DEN, words: 'BUILD', before: null, limit: 10 });
    expect(alice.seen('history').flatMap(({ messages }) => messages.map(({ seq }) => seq))).toEqual([1, 3]);
    expect(alice.seen('searched')).toMatchObject([{ room: 'den', from: 1 }]);
    await alice.ask({ type: 'search', room: DEN, words: 'build', before: 3, limit: 10 });
    expect(
      alice
        .seen('history')
        .at(-1)
        ?.messages.map(({ seq }) => seq),
    ).toEqual([1]);
  });

  test('waits for the ones before it, is refused when many wait, and finds nothing for who is out by its turn', async () => {
    const { harness, alice, bob } = await inADen();
    const search: Ask = { type: 'search', room: DEN, words: 'plan', before: null, limit: 5 };
    await alice.say('the plan');
    const gate = harness.store.hold('search');
    const first = alice.start(search);
    await gate.reached;
    const behind = bob.start(search);
    await alice.ask({ type: 'kick', room: DEN, name: 'bob' as UserName, reason: null });
    const others = await Promise.all(Array.from({ length: 70 }, (_, i) => harness.enter(`other${i}`)));
    for (const other of others) await other.join();
    const asked = others.map((other) => other.start(search));
    await harness.endTurn();
    const refused = others.filter((other, i) => other.answersTo(asked[i]?.req ?? 0).length === 1);
    expect(refused).toHaveLength(70 - 63);
    gate.release();
    await harness.endTurn();
    expect(alice.answersTo(first.req)).toMatchObject([{ type: 'ok' }]);
    expect(bob.answersTo(behind.req)).toMatchObject([{ code: ERRORS.NOT_A_MEMBER.wire }]);
    for (const [i, other] of others.entries()) expect(other.answersTo(asked[i]?.req ?? 0)).toHaveLength(1);
  });
});
