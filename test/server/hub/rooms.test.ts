import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import { type Guest, HubHarness, newId } from './harness.ts';

const DEN = 'den' as RoomName;
const TTL_MS = 600_000;

describe('a room', () => {
  test('appears with its first member, who owns it', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    expect(await alice.join()).toMatchObject({
      room: 'den',
      role: 'owner',
      owner: 'alice',
      members: 1,
      last: 0,
      first: 1,
    });
    const bob = await harness.enter('bob');
    expect(await bob.join('DEN')).toMatchObject({ room: 'den', role: 'member', owner: 'alice', members: 2 });
    expect(harness.hub.rooms.size).toBe(1);
  });

  test('called lobby belongs to the server', async () => {
    const harness = new HubHarness();
    expect(await (await harness.enter('alice')).join('Lobby')).toMatchObject({ role: 'member', owner: null });
  });

  test('is made once, however many ask while it is being made', async () => {
    const harness = new HubHarness();
    const gate = harness.store.hold('open');
    const guests = await Promise.all(Array.from({ length: 10 }, (_, i) => harness.enter(`guest${i}`)));
    for (const guest of guests) guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    gate.release();
    await harness.endTurn();
    const joined = guests.map((guest) => guest.seen('joined')[0]);
    expect(joined.map((event) => event?.role)).toEqual(['owner', ...Array(9).fill('member')]);
    expect(joined.map((event) => event?.members).sort((a = 0, b = 0) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(new Set(guests.map(({ session }) => [...session.rooms.keys()][0])).size).toBe(1);
    await guests[0]?.say('heard by all');
    expect(guests.slice(1).map((guest) => guest.bodies())).toEqual(Array(9).fill(['heard by all']));
  });

  test('that cannot be opened is refused to all who asked, and tried anew for the next', async () => {
    const harness = new HubHarness();
    const gate = harness.store.hold('open');
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    const first = alice.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    gate.fail();
    await harness.endTurn();
    expect(alice.answersTo(first.req)).toMatchObject([{ type: 'error', code: ERRORS.INTERNAL.wire }]);
    expect(harness.hub.rooms.size).toBe(0);
    expect(await bob.join()).toMatchObject({ role: 'owner' });
  });

  test('goes away some time after its last member, and comes back as another', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const before = await alice.join();
    await alice.say('hello');
    alice.leave();
    await harness.pass(TTL_MS - 1);
    expect(harness.hub.rooms.size).toBe(1);
    await harness.pass(1);
    expect(harness.hub.rooms.size).toBe(0);
    expect(await harness.store.bounds('den' as never)).toBeNull();
    const after = await (await harness.enter('bob')).join();
    expect(after).toMatchObject({ role: 'owner', last: 0 });
    expect(after.incarnation).not.toBe(before.incarnation);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  test('waits for who was only cut off, with its history and its owner', async () => {
    const harness = new HubHarness();
    const before = await (await harness.enter('alice')).join();
    const alice = await harness.enter('alice');
    await alice.join();
    await alice.say('hello');
    for (const session of [...alice.session.user.sessions]) harness.hub.exit(session);
    await harness.pass(TTL_MS - 1);
    const bob = await harness.enter('bob');
    expect(await bob.join()).toEqual({ ...before, req: 1, role: 'member', last: 1, first: 1 });
    await harness.pass(10 * TTL_MS);
    expect(harness.hub.rooms.size).toBe(1);
    bob.leave();
    await harness.pass(TTL_MS);
    expect(harness.hub.rooms.size).toBe(0);
  });

  test('stays while somebody is on the way in', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.join();
    alice.leave();
    await harness.pass(TTL_MS - 1);
    const gate = harness.store.hold('bounds');
    const bob = await harness.enter('bob');
    bob.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    await harness.pass(10 * TTL_MS);
    gate.release();
    await harness.endTurn();
    expect(bob.seen('joined')).toHaveLength(1);
    expect(await bob.say('still here')).toMatchObject({ type: 'ok', seq: 1 });
  });

  test('stays while somebody else on the way in gives up', async () => {
    const harness = new HubHarness({ emptyRoomTtl: 0 });
    const gate = harness.store.hold('bounds');
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    for (const guest of [alice, bob]) guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    alice.leave();
    await harness.pass(1);
    gate.release();
    await harness.pass(1);
    expect(bob.seen('joined')).toHaveLength(1);
    expect(harness.hub.rooms.find(DEN)?.size).toBe(1);
  });

  test('stays while a message of somebody who left is being stored, and hurts no other', async () => {
    const harness = new HubHarness({ emptyRoomTtl: 0 });
    const [alice, bob, carol] = [
      await harness.enter('alice'),
      await harness.enter('bob'),
      await harness.enter('carol'),
    ];
    await alice.join('brief');
    await bob.join();
    await carol.join();
    const gate = harness.store.hold('append');
    bob.startSay('first round');
    await harness.endTurn();
    alice.startSay('last words', 'brief');
    const { req } = bob.startSay('second round');
    alice.leave();
    await harness.pass(1);
    expect(harness.hub.rooms.find('brief' as RoomName)).toBeDefined();
    gate.release();
    await harness.endTurn();
    expect(bob.answersTo(req)).toMatchObject([{ type: 'ok', seq: 2 }]);
    await harness.pass(1);
    expect(harness.hub.rooms.find('brief' as RoomName)).toBeUndefined();
    expect(harness.log.text).not.toContain('could not be stored');
  });

  test('makes who comes while it is being forgotten wait, and is new then', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const before = await alice.join();
    alice.leave();
    const gate = harness.store.hold('forget');
    await harness.pass(TTL_MS);
    await gate.reached;
    const bob = await harness.enter('bob');
    bob.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await harness.endTurn();
    expect(bob.seen('joined')).toEqual([]);
    gate.release();
    await harness.endTurn();
    expect(bob.seen('joined')[0]?.incarnation).not.toBe(before.incarnation);
    expect(await bob.say('new')).toMatchObject({ seq: 1 });
  });

  test('that could not be forgotten stays as it was and is tried again', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const before = await alice.join();
    alice.leave();
    const gate = harness.store.hold('forget');
    await harness.pass(TTL_MS);
    await gate.reached;
    gate.fail();
    await harness.endTurn();
    expect(harness.log.text).toContain('could not be forgotten');
    const bob = await harness.enter('bob');
    expect(await bob.join()).toMatchObject({ incarnation: before.incarnation, owner: 'alice' });
    bob.leave();
    await harness.pass(TTL_MS);
    expect(harness.hub.rooms.size).toBe(0);
  });

  test('made for somebody who is gone by then goes away too', async () => {
    const harness = new HubHarness();
    const gate = harness.store.hold('open');
    const alice = await harness.enter('alice');
    alice.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    alice.leave();
    gate.release();
    await harness.endTurn();
    expect(alice.seen('joined')).toEqual([]);
    expect(harness.hub.rooms.find(DEN)?.size).toBe(0);
    await harness.pass(TTL_MS);
    expect(harness.hub.rooms.size).toBe(0);
  });

  test('that somebody banned meanwhile was on the way into stays closed to them', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join();
    const gate = harness.store.hold('bounds');
    const { req } = bob.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    await alice.ask({ type: 'ban', room: DEN, target: 'bob', durationMs: null, reason: null, penalty: 'ban' });
    gate.release();
    await harness.endTurn();
    expect(bob.answersTo(req)).toMatchObject([{ code: ERRORS.ROOM_BANNED.wire }]);
    expect(harness.hub.rooms.find(DEN)?.size).toBe(1);
  });
});

describe('being in a room', () => {
  test('again tells where it stands and changes nothing', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await bob.join('den', true);
    await alice.join();
    await alice.ask({ type: 'topic', room: DEN, topic: 'tea' });
    expect(await alice.join()).toMatchObject({ members: 2, topic: 'tea' });
    expect(bob.changes()).toEqual(['join bob', 'join alice']);
  });

  test('again may begin or end watching', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join('den', false);
    await bob.join();
    await alice.join('den', true);
    await bob.ask({ type: 'away', text: 'tea' });
    await alice.join('den', false);
    await bob.ask({ type: 'away', text: null });
    expect(alice.changes()).toEqual(['away bob']);
  });

  test('ends when one leaves, and not twice', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.join();
    expect(await alice.ask({ type: 'leave', room: DEN })).toMatchObject({ type: 'ok' });
    expect(await alice.ask({ type: 'leave', room: DEN })).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    expect(await alice.say('hello')).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    expect(await alice.ask({ type: 'names', room: DEN })).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    expect(await alice.ask({ type: 'typing', room: DEN })).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    const history = { type: 'history', room: DEN, after: null, before: null, sinceMs: null, limit: 1 } as const;
    expect(await alice.ask(history)).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    expect(await alice.ask({ type: 'topic', room: DEN, topic: 'x' })).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
  });

  test('is the session’s, not the user’s', async () => {
    const harness = new HubHarness();
    const [one, other] = [await harness.enter('alice'), await harness.enter('alice')];
    await one.join();
    expect(await other.say('hello')).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
  });
});

describe('lists', () => {
  test('name everybody in a room once, with role and away text', async () => {
    const harness = new HubHarness();
    const [alice, alicesPhone, bob] = [
      await harness.enter('alice'),
      await harness.enter('alice'),
      await harness.enter('bob'),
    ];
    for (const guest of [alice, alicesPhone, bob]) await guest.join();
    await bob.ask({ type: 'away', text: 'lunch' });
    await alice.ask({ type: 'names', room: DEN });
    expect(alice.seen('members').flatMap(({ members }) => members)).toEqual([
      { name: 'alice', role: 'owner', away: null },
      { name: 'bob', role: 'member', away: 'lunch' },
    ]);
  });

  test('name the rooms that somebody is in, the fullest first', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join('attic');
    await alice.join('den');
    await bob.join('den');
    await bob.join('cellar');
    await alice.ask({ type: 'leave', room: 'attic' as RoomName });
    await alice.ask({ type: 'rooms' });
    expect(alice.seen('rooms')[0]?.rooms).toEqual([
      { room: 'den', members: 2, access: 'open', topic: null },
      { room: 'cellar', members: 1, access: 'open', topic: null },
    ]);
  });

  test('of nothing are an ok alone', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    expect(await alice.ask({ type: 'rooms' })).toMatchObject({ type: 'ok' });
    expect(alice.seen('rooms')).toEqual([]);
  });
});

describe('history', () => {
  async function pageAfter(guest: Guest, seq: number | null, limit = 200) {
    guest.events.length = 0;
    await guest.ask({ type: 'history', room: DEN, after: seq, before: null, sinceMs: null, limit });
    return {
      seqs: guest.seen('history').flatMap(({ messages }) => messages.map((message) => message.seq)),
      gaps: guest.seen('gap').map(({ first, last }) => [first, last]),
    };
  }

  test('comes in pages, and says what it no longer has', async () => {
    const harness = new HubHarness({ historyMessages: 5 });
    const alice = await harness.enter('alice');
    await alice.join();
    for (let i = 1; i <= 12; i += 1) await alice.say(`body ${i}`);
    expect(await pageAfter(alice, 0)).toEqual({ seqs: [8, 9, 10, 11, 12], gaps: [[1, 7]] });
    expect(await pageAfter(alice, 6, 2)).toEqual({ seqs: [8, 9], gaps: [[7, 7]] });
    expect(await pageAfter(alice, 7)).toEqual({ seqs: [8, 9, 10, 11, 12], gaps: [] });
    expect(await pageAfter(alice, 12)).toEqual({ seqs: [], gaps: [] });
    expect(await pageAfter(alice, null, 3)).toEqual({ seqs: [10, 11, 12], gaps: [] });
    expect(await alice.join()).toMatchObject({ first: 8, last: 12, keep: 5 });
  });

  test('says a gap also when nothing is kept, or nothing asked for', async () => {
    const harness = new HubHarness({ historyMessages: 0 });
    const alice = await harness.enter('alice');
    await alice.join();
    for (let i = 1; i <= 3; i += 1) await alice.say(`body ${i}`);
    expect(await pageAfter(alice, 1)).toEqual({ seqs: [], gaps: [[2, 3]] });
    expect(await pageAfter(alice, 0, 0)).toEqual({ seqs: [], gaps: [[1, 3]] });
    expect(await pageAfter(alice, 3)).toEqual({ seqs: [], gaps: [] });
  });

  test('hides no loss that happens while a page is read', async () => {
    const harness = new HubHarness({ historyMessages: 3 });
    const alice = await harness.enter('alice');
    await alice.join();
    for (let i = 1; i <= 3; i += 1) await alice.say(`body ${i}`);
    for (const operation of ['read', 'bounds'] as const) {
      alice.events.length = 0;
      const { last } = await alice.join();
      const gate = harness.store.hold(operation);
      const bob = await harness.enter('bob');
      await Promise.all([
        alice.start({ type: 'history', room: DEN, after: last - 3, before: null, sinceMs: null, limit: 200 }).done,
        (async () => {
          await gate.reached;
          // Straight into the store, as another node would.
          await harness.store.append([draft(), draft()]);
          gate.release();
        })(),
      ]);
      bob.leave();
      const seqs = alice.seen('history').flatMap(({ messages }) => messages.map(({ seq }) => seq));
      const gap = alice
        .seen('gap')
        .flatMap(({ first, last: end }) => Array.from({ length: end - first + 1 }, (_, i) => first + i));
      const all = [...gap, ...seqs];
      expect(all, operation).toEqual(all.map((_, i) => last - 2 + i));
      expect(all.length).toBeGreaterThanOrEqual(3);
    }

    function draft() {
      const { name, fp } = alice.session.user;
      return {
        room: 'den' as never,
        id: newId(),
        isAgain: false,
        from: name,
        fp,
        kind: 'text',
        body: 'more',
        ts: 1,
      } as const;
    }
  });

  test('keeps large messages apart, each within what a client accepts', async () => {
    const harness = new HubHarness({ maxBodyBytes: 65_536, byteBurst: 1e9, historyMessages: 200 });
    const alice = await harness.enter('\u{20000}'.repeat(50));
    await alice.join('\u{20001}'.repeat(50));
    const room = '\u{20001}'.repeat(50);
    for (let i = 0; i < 10; i += 1) await alice.say('日'.repeat(21_845), room);
    for (let i = 0; i < 190; i += 1) await alice.say('日'.repeat(370), room);
    const everything = { after: null, before: null, sinceMs: null, limit: 200 };
    expect(await alice.ask({ type: 'history', room: room as RoomName, ...everything })).toMatchObject({ type: 'ok' });
    expect(alice.seen('history').flatMap(({ messages }) => messages)).toHaveLength(200);
    expect(Math.max(...alice.sizes)).toBeLessThanOrEqual(262_144);
    expect(Math.max(...alice.sizes)).toBeGreaterThan(200_000);
  });
});

describe('limits', () => {
  test('of rooms for one session hold before a room is made', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 2 });
    const alice = await harness.enter('alice');
    await alice.join('one');
    await alice.join('two');
    const third = { type: 'join', room: 'three' as RoomName, watch: false, code: null, create: null } as const;
    expect(await alice.ask(third)).toMatchObject({ code: ERRORS.TOO_MANY_ROOMS.wire });
    expect(harness.hub.rooms.size).toBe(2);
    expect(await alice.join('two')).toMatchObject({ room: 'two' });
    await alice.ask({ type: 'leave', room: 'one' as RoomName });
    expect(await alice.ask(third)).toMatchObject({ type: 'ok' });
  });

  test('of members hold for sessions', async () => {
    const harness = new HubHarness({ maxMembersPerRoom: 2 });
    const [one, other, bob] = [await harness.enter('alice'), await harness.enter('alice'), await harness.enter('bob')];
    await one.join();
    await other.join();
    expect(await bob.ask({ type: 'join', room: DEN, watch: false, code: null, create: null })).toMatchObject({
      code: ERRORS.ROOM_FULL.wire,
    });
    other.leave();
    expect(await bob.join()).toMatchObject({ members: 2 });
  });

  test('of rooms in all refuse who would make another, also when many do at once', async () => {
    const harness = new HubHarness({ maxRooms: 3 });
    const gate = harness.store.hold('open');
    const guests = await Promise.all(Array.from({ length: 5 }, (_, i) => harness.enter(`guest${i}`)));
    const reqs = guests.map(
      (guest, i) =>
        guest.start({ type: 'join', room: `room${i}` as RoomName, watch: false, code: null, create: null }).req,
    );
    await harness.endTurn();
    gate.release();
    await harness.endTurn();
    const answers = guests.map((guest, i) => guest.answersTo(reqs[i] as number)[0]?.type);
    expect(answers.filter((type) => type === 'ok')).toHaveLength(3);
    expect(harness.hub.rooms.size).toBe(3);
  });

  test('of rooms in all give way: the room that nobody has been in for longest goes', async () => {
    const harness = new HubHarness({ maxRooms: 2 });
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join('first');
    await alice.join('second');
    await alice.ask({ type: 'leave', room: 'second' as RoomName });
    await alice.ask({ type: 'leave', room: 'first' as RoomName });
    await bob.join('third');
    expect(harness.hub.rooms.find('second' as RoomName)).toBeUndefined();
    expect(harness.hub.rooms.find('first' as RoomName)).toBeDefined();
    expect(harness.hub.rooms.size).toBe(2);
    await bob.join('first');
    const refused = await alice.ask({
      type: 'join',
      room: 'fourth' as RoomName,
      watch: false,
      code: null,
      create: null,
    });
    expect(refused).toMatchObject({ code: ERRORS.TOO_MANY_ROOMS.wire });
  });
});

describe('nothing is left', () => {
  test('of ten thousand who came and went', async () => {
    const harness = new HubHarness({ messageBurst: 1e6 });
    for (let i = 0; i < 10_000; i += 1) {
      const guest = await harness.enter(`guest${i}`);
      guest.start({ type: 'join', room: `room${i % 500}` as RoomName, watch: i % 2 === 0, code: null, create: null });
      if (i % 100 === 99) await harness.endTurn();
      guest.startSay('hello', `room${i % 500}`);
      if (i % 3 === 0) guest.start({ type: 'nick', name: `renamed${i}` as never });
      guest.leave();
    }
    await harness.endTurn();
    await harness.pass(TTL_MS);
    expect(harness.hub.users.size).toBe(0);
    expect(harness.hub.rooms.size).toBe(0);
    expect(harness.clock.pendingTimers).toBe(0);
  });
});
