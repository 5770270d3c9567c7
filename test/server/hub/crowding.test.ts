import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import { type EnterOptions, fingerprintOf, type Guest, HubHarness } from './harness.ts';
import { startTwo } from './network-harness.ts';

const HERE: EnterOptions = { address: '192.0.2.1' };
const THERE: EnterOptions = { address: '198.51.100.9' };
const FREE = { messageBurst: 1e9, byteBurst: 1e12 };

describe('when there is space for no more rooms', () => {
  test('who makes many gives up his own, though others have been idle for longer', async () => {
    const harness = new HubHarness({ maxRooms: 40, ...FREE });
    const alice = await harness.enter('alice', HERE);
    await visit(alice, 'locked', 'locked');
    await visit(alice, 'open');
    const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => harness.enter(`mallory${i}`, THERE)));
    for (let i = 0; i < 200; i += 1) await visit(crowd[i % crowd.length] as Guest, `heap${i}`);
    expect(harness.hub.rooms.size).toBe(40);
    expect([isThere(harness, 'locked'), isThere(harness, 'open')]).toEqual([true, true]);
    // His newest are still there, too.
    expect([isThere(harness, 'heap199'), isThere(harness, 'heap0')]).toEqual([true, false]);
  });

  test('a /64 of IPv6 is one who makes many', async () => {
    const harness = new HubHarness({ maxRooms: 20, ...FREE });
    await visit(await harness.enter('alice', HERE), 'open');
    for (let i = 0; i < 100; i += 1) {
      const guest = await harness.enter(`mallory${i}`, { address: `2001:db8::${i.toString(16)}` });
      await visit(guest, `heap${i}`);
    }
    expect(isThere(harness, 'open')).toBe(true);
  });

  test('of those behind one address the one with the most rooms gives up his own', async () => {
    const harness = new HubHarness({ maxRooms: 20, ...FREE });
    await visit(await harness.enter('alice', HERE), 'open');
    const mallory = await harness.enter('mallory', HERE);
    for (let i = 0; i < 100; i += 1) await visit(mallory, `heap${i}`);
    expect(isThere(harness, 'open')).toBe(true);
  });

  test('to knock at rooms of others, or at those that came from the store, heaps nothing on them', async () => {
    const [network, one, other] = await startTwo({ maxRooms: 20, ...FREE });
    const alice = await one.enter('alice', HERE);
    await visit(alice, 'open');
    const [mallory, friend] = [await one.enter('mallory', THERE), await other.enter('friend', THERE)];
    await friend.join('open');
    await friend.ask({ type: 'leave', room: 'open' as RoomName });
    for (let i = 0; i < 100; i += 1) {
      await visit(mallory, `heap${i}`);
      await visit(friend, `heap${i}`);
    }
    await network.settle();
    expect([isThere(one, 'open'), isThere(other, 'open')]).toEqual([true, true]);
  });

  test('kept rooms go first, as they come back', async () => {
    const harness = new HubHarness({ maxRooms: 3, ...FREE });
    const [alice, bob] = [await harness.enter('alice', HERE), await harness.enter('bob', THERE)];
    await visit(alice, 'open');
    await bob.join('kept');
    await bob.ask({ type: 'retain', room: 'kept' as RoomName, on: true });
    await bob.say('hello', 'kept');
    await bob.ask({ type: 'leave', room: 'kept' as RoomName });
    await alice.join('third');
    await alice.join('fourth');
    expect([isThere(harness, 'open'), isThere(harness, 'kept')]).toEqual([true, false]);
    await alice.ask({ type: 'leave', room: 'third' as RoomName });
    expect(await bob.join('kept')).toMatchObject({ owner: 'bob', last: 1 });
  });

  test('a room that an admin lets go while nobody is in it is as any other', async () => {
    const harness = new HubHarness({ maxRooms: 3, admins: [fingerprintOf('admin')], ...FREE });
    const [alice, admin] = [await harness.enter('alice', HERE), await harness.enter('admin', THERE)];
    await alice.join('kept');
    await alice.ask({ type: 'retain', room: 'kept' as RoomName, on: true });
    await visit(alice, 'older');
    await alice.ask({ type: 'leave', room: 'kept' as RoomName });
    expect(await admin.ask({ type: 'retain', room: 'kept' as RoomName, on: false })).toMatchObject({ type: 'ok' });
    await admin.join('third');
    await admin.join('fourth');
    expect([isThere(harness, 'older'), isThere(harness, 'kept')]).toEqual([false, true]);
    await harness.pass(600_000);
    expect(isThere(harness, 'kept')).toBe(false);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  test('nobody loses a room to who is refused one', async () => {
    // Three requests and nothing for a room.
    const harness = new HubHarness({ maxRooms: 1, maxRoomNameLength: 8, byteBurst: 192, bytesPerSecond: 1_000 });
    const [alice, bob] = [await harness.enter('alice', HERE), await harness.enter('bob', THERE)];
    await visit(alice, 'open');
    const { INVALID, SLOW_DOWN } = { INVALID: ERRORS.ROOM_NAME_INVALID.wire, SLOW_DOWN: ERRORS.SLOW_DOWN.wire };
    expect(await bob.ask(joining('much-too-long'))).toMatchObject({ code: INVALID });
    expect(await bob.ask({ type: 'code', room: 'nowhere' as RoomName })).toMatchObject({
      code: ERRORS.NO_SUCH_ROOM.wire,
    });
    expect(await bob.ask(joining('dear'))).toMatchObject({ code: SLOW_DOWN });
    expect(isThere(harness, 'open')).toBe(true);
  });
});

describe('making a room', () => {
  test('is charged more than entering one', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice', HERE), await harness.enter('bob', THERE)];
    let made = 0;
    while ((await alice.ask(joining(`room${made}`))).type === 'ok') {
      if (made % 10 < 9) await alice.ask({ type: 'leave', room: `room${made}` as RoomName });
      made += 1;
    }
    // As many as one may be in, and not many more.
    expect(made).toBeGreaterThanOrEqual(harness.options.maxRoomsPerUser);
    expect(made).toBeLessThan(2 * harness.options.maxRoomsPerUser);
    for (let i = 0; i < 1_000; i += 1) await visit(bob, 'room9');
    await harness.pass(1_000);
    expect(await alice.ask(joining('later'))).toMatchObject({ type: 'ok' });
  });
});

function joining(room: string, create: 'open' | 'locked' | null = null) {
  return { type: 'join', room: room as RoomName, watch: false, code: null, create } as const;
}

/** Enters the room, and leaves it. */
async function visit(guest: Guest, room: string, create: 'open' | 'locked' | null = null): Promise<void> {
  expect(await guest.ask(joining(room, create))).toMatchObject({ type: 'ok' });
  await guest.ask({ type: 'leave', room: room as RoomName });
}

function isThere(harness: HubHarness, room: string): boolean {
  return harness.hub.rooms.find(room as RoomName) !== undefined;
}
