import { describe, expect, test } from 'vitest';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import { type Guest, HubHarness } from './harness.ts';

const DEN = 'den' as RoomName;

async function withWatcher(options = {}) {
  const harness = new HubHarness(options);
  const watcher = await harness.enter('watcher');
  await watcher.join('den', true);
  watcher.events.length = 0;
  return { harness, watcher };
}

describe('watchers of a room', () => {
  test('hear who comes, goes, is away, comes back and changes name', async () => {
    const { harness, watcher } = await withWatcher();
    const alice = await harness.enter('alice');
    await alice.join();
    await alice.ask({ type: 'away', text: 'lunch' });
    await alice.ask({ type: 'away', text: null });
    await alice.ask({ type: 'nick', name: 'alicia' as UserName });
    await alice.ask({ type: 'leave', room: DEN });
    expect(watcher.changes()).toEqual(['join alice', 'away alice', 'back alice', 'nick alice alicia', 'leave alicia']);
    expect(watcher.seen('presence')[1]?.changes[0]).toMatchObject({ text: 'lunch' });
  });

  test('hear as what somebody comes, and that somebody comes who is away', async () => {
    const harness = new HubHarness();
    const owner = await harness.enter('owner');
    await owner.join('yard');
    const watcher = await harness.enter('watcher');
    await watcher.join('yard', true);
    const yard = 'yard' as RoomName;
    await owner.ask({ type: 'leave', room: yard });
    await owner.ask({ type: 'away', text: 'lunch' });
    watcher.events.length = 0;
    await owner.join('yard');
    await (await harness.enter('bob')).join('yard');
    expect(watcher.seen('presence').flatMap(({ changes }) => changes)).toEqual([
      { change: 'join', name: 'owner', other: null, text: 'owner' },
      { change: 'away', name: 'owner', other: null, text: 'lunch' },
      { change: 'join', name: 'bob', other: null, text: null },
    ]);
  });

  test('hear that somebody was cut off', async () => {
    const { harness, watcher } = await withWatcher();
    const alice = await harness.enter('alice');
    await alice.join();
    alice.leave();
    await harness.endTurn();
    expect(watcher.changes()).toEqual(['join alice', 'leave alice']);
  });

  test('hear of a person with several sessions once', async () => {
    const { harness, watcher } = await withWatcher();
    const windows = [await harness.enter('alice'), await harness.enter('alice'), await harness.enter('alice')];
    for (const window of windows) await window.join();
    for (const window of windows) {
      window.leave();
      await harness.endTurn();
    }
    expect(watcher.changes()).toEqual(['join alice', 'leave alice']);
  });

  test('hear of a person with several sessions changing its name once, and each session hears it', async () => {
    const { harness, watcher } = await withWatcher();
    const [one, other] = [await harness.enter('alice'), await harness.enter('alice')];
    await one.join();
    await other.join();
    await other.join('elsewhere', true);
    await one.ask({ type: 'nick', name: 'alicia' as UserName });
    expect(watcher.changes()).toEqual(['join alice', 'nick alice alicia']);
    expect([one, other].map((guest) => guest.seen('renamed'))).toEqual([
      [{ type: 'renamed', name: 'alicia' }],
      [{ type: 'renamed', name: 'alicia' }],
    ]);
    expect(other.changes()).toEqual(['join alice', 'nick alice alicia']);
  });

  test('hear a kick and a ban with who did it, and then that the person is gone', async () => {
    const { harness } = await withWatcher();
    const owner = await harness.enter('owner');
    await owner.join('yard', true);
    const [bob, carol] = [await harness.enter('bob'), await harness.enter('carol')];
    await bob.join('yard');
    await carol.join('yard');
    owner.events.length = 0;
    const yard = 'yard' as RoomName;
    await owner.ask({ type: 'kick', room: yard, name: 'bob' as UserName, reason: 'noise' });
    await owner.ask({ type: 'ban', room: yard, target: 'carol', durationMs: 1_000, reason: null, penalty: 'ban' });
    expect(owner.changes()).toEqual(['kick bob owner', 'ban carol owner']);
  });

  test('are told all changes of a turn in one message', async () => {
    const { harness, watcher } = await withWatcher();
    const guests = await Promise.all(Array.from({ length: 10 }, (_, i) => harness.enter(`guest${i}`)));
    for (const guest of guests) guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await harness.endTurn();
    expect(watcher.seen('presence')).toHaveLength(1);
    expect(watcher.changes()).toEqual(guests.map((_, i) => `join guest${i}`));
  });

  test('of a large room are told a quarter of a second later, all in one message', async () => {
    const { harness, watcher } = await withWatcher();
    const others = await Promise.all(Array.from({ length: 60 }, (_, i) => harness.enter(`other${i}`)));
    for (const other of others) await other.join('den', true);
    await harness.pass(250);
    watcher.events.length = 0;
    const guests = await Promise.all(Array.from({ length: 20 }, (_, i) => harness.enter(`guest${i}`)));
    for (const guest of guests) await guest.join();
    await harness.pass(249);
    expect(watcher.seen('presence')).toEqual([]);
    await harness.pass(1);
    expect(watcher.seen('presence')).toHaveLength(1);
    expect(watcher.changes()).toHaveLength(20);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  test('get changes in messages that a client accepts, however long names and texts are', async () => {
    const { harness, watcher } = await withWatcher({ messageBurst: 10_000, byteBurst: 1e9 });
    const long = await harness.enter('\u{20000}'.repeat(50));
    await long.join();
    watcher.events.length = 0;
    watcher.sizes.length = 0;
    for (let i = 0; i < 1_200; i += 1) long.start({ type: 'away', text: '日'.repeat(170) });
    await harness.endTurn();
    expect(watcher.changes()).toHaveLength(1_200);
    expect(watcher.seen('presence').length).toBeGreaterThan(3);
    for (const { changes } of watcher.seen('presence')) expect(changes.length).toBeLessThanOrEqual(500);
    expect(Math.max(...watcher.sizes)).toBeLessThanOrEqual(262_144);
  });
});

describe('who does not watch', () => {
  test('hears nothing of comings and goings, and not who types', async () => {
    const { harness } = await withWatcher();
    const script = await harness.enter('script');
    await script.join('den', false);
    const alice = await harness.enter('alice');
    await alice.join();
    await alice.ask({ type: 'typing', room: DEN });
    await alice.ask({ type: 'away', text: null });
    alice.leave();
    await harness.endTurn();
    expect([...script.seen('presence'), ...script.seen('typing')]).toEqual([]);
  });
});

describe('typing', () => {
  test('is told to watchers but not to whoever types', async () => {
    const { harness, watcher } = await withWatcher();
    const [alice, phone] = [await harness.enter('alice'), await harness.enter('alice')];
    await alice.join('den', true);
    await phone.join('den', true);
    expect(await alice.ask({ type: 'typing', room: DEN })).toMatchObject({ type: 'ok' });
    expect(watcher.seen('typing')).toEqual([{ type: 'typing', room: 'den', name: 'alice' }]);
    expect([...alice.seen('typing'), ...phone.seen('typing')]).toEqual([]);
  });
});

describe('a topic', () => {
  test('is told to everybody, its setter included, and to who comes later', async () => {
    const { harness, watcher } = await withWatcher();
    const alice = await harness.enter('alice');
    await alice.join();
    expect(await alice.ask({ type: 'topic', room: DEN, topic: 'tea' })).toMatchObject({ type: 'ok' });
    const told = { type: 'topic', room: 'den', topic: 'tea', by: 'alice', ts: harness.clock.nowMs() };
    expect([watcher.seen('topic'), alice.seen('topic')]).toEqual([[told], [told]]);
    expect(await (await harness.enter('bob')).join()).toMatchObject({ topic: 'tea' });
    await alice.ask({ type: 'topic', room: DEN, topic: null });
    expect(await (await harness.enter('carol')).join()).toMatchObject({ topic: null });
  });
});

describe('away', () => {
  test('is the person’s, in every room, whichever session says it', async () => {
    const { harness, watcher } = await withWatcher();
    const [alice, phone] = [await harness.enter('alice'), await harness.enter('alice')];
    await alice.join();
    await phone.join('elsewhere');
    await phone.ask({ type: 'away', text: 'gone fishing' });
    expect(watcher.changes()).toEqual(['join alice', 'away alice']);
    await watcher.ask({ type: 'whois', name: 'alice' as UserName });
    expect(watcher.seen('user')[0]).toMatchObject({ away: 'gone fishing', sessions: 2, rooms: ['den', 'elsewhere'] });
  });
});

describe('whois', () => {
  test('says who somebody is and how long they have been still', async () => {
    const { harness, watcher } = await withWatcher({ admins: [] });
    const sinceMs = harness.clock.nowMs();
    const alice = await harness.enter('Alice');
    await alice.join();
    await harness.pass(60_000);
    await alice.say('hello');
    await harness.pass(5_000);
    await watcher.ask({ type: 'whois', name: 'ALICE' as UserName });
    expect(watcher.seen('user')).toEqual([
      expect.objectContaining({ name: 'Alice', fp: alice.session.user.fp, role: 'member', sinceMs, idleMs: 5_000 }),
    ]);
  });
});

test('a wave of long names, topics and texts stays within what a client accepts', async () => {
  const harness = new HubHarness({ messageBurst: 1e6, byteBurst: 1e9, maxRoomsPerUser: 1_000 });
  const asker = await harness.enter('asker');
  const guests: Guest[] = [];
  for (let i = 0; i < 600; i += 1) {
    const guest = await harness.enter(`${'\u{20000}'.repeat(46)}${i}`);
    guests.push(guest);
    const room = `${'\u{20001}'.repeat(46)}${i}` as RoomName;
    guest.start({ type: 'join', room, watch: false, code: null, create: null });
    guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    guest.start({ type: 'away', text: '日'.repeat(170) });
    await harness.endTurn();
    guest.start({ type: 'topic', room, topic: '日'.repeat(341) });
  }
  await asker.join();
  await asker.ask({ type: 'names', room: DEN });
  await asker.ask({ type: 'rooms' });
  expect(asker.seen('members').flatMap(({ members }) => members)).toHaveLength(601);
  expect(asker.seen('rooms').flatMap(({ rooms }) => rooms)).toHaveLength(601);
  expect(asker.seen('rooms').length).toBeGreaterThan(2);
  expect(Math.max(...asker.sizes)).toBeLessThanOrEqual(262_144);
});
