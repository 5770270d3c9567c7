import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, type Guest, HubHarness } from './harness.ts';

const DEN = 'den' as RoomName;
const HOUR_MS = 3_600_000;

async function inADen(options = {}) {
  const harness = new HubHarness({ admins: [fingerprintOf('root')], ...options });
  const [owner, bob, carol] = [await harness.enter('owner'), await harness.enter('bob'), await harness.enter('carol')];
  for (const guest of [owner, bob, carol]) await guest.join();
  const root = await harness.enter('root', { address: '192.0.2.99' });
  return { harness, owner, bob, carol, root };
}

const joinDen: Ask = { type: 'join', room: DEN, watch: false, code: null, create: null };
const kick = (name: string, room: RoomName | null = DEN, reason: string | null = null): Ask => {
  return { type: 'kick', room, name: name as UserName, reason };
};
const ban = (
  target: string,
  durationMs: number | null = null,
  room: RoomName | null = DEN,
  reason: string | null = null,
): Ask => {
  return { type: 'ban', room, target, durationMs, reason, penalty: 'ban' };
};
const unban = (target: string, room: RoomName | null = DEN): Ask => ({ type: 'unban', room, target, penalty: 'ban' });

async function expectRefused(guest: Guest, ask: Ask, code: ErrorCode) {
  expect(await guest.ask(ask)).toMatchObject({ type: 'error', code: ERRORS[code].wire });
}

/** The code with which a newcomer is refused; undefined when it is let in. */
async function refusalOf(harness: HubHarness, name: string, options = {}): Promise<string | undefined> {
  try {
    (await harness.enter(name, options)).leave();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('kicking from a room', () => {
  test('takes every session of a person out, tells them why, and leaves the way back open', async () => {
    const { harness, owner, bob } = await inADen();
    const phone = await harness.enter('bob');
    await phone.join();
    expect(await owner.ask(kick('BOB', DEN, 'noise'))).toMatchObject({ type: 'ok' });
    const removed = { type: 'removed', room: 'den', removal: 'kick', by: 'owner', reason: 'noise', untilMs: null };
    expect([bob.seen('removed'), phone.seen('removed')]).toEqual([[removed], [removed]]);
    expect(await bob.say('hello')).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
    expect(bob.ended).toBeUndefined();
    expect(await bob.join()).toMatchObject({ role: 'member' });
  });

  test('is for owners and admins, and not against them', async () => {
    const { owner, bob, root } = await inADen();
    await expectRefused(bob, kick('carol'), 'NOT_ALLOWED');
    await expectRefused(bob, kick('owner'), 'NOT_ALLOWED');
    await expectRefused(bob, kick('bob'), 'NOT_ALLOWED');
    await expectRefused(owner, kick('owner'), 'NOT_ALLOWED');
    expect(await root.ask(kick('carol'))).toMatchObject({ type: 'ok' });
    await root.join();
    await expectRefused(owner, kick('root'), 'NOT_ALLOWED');
    expect(await root.ask(kick('owner'))).toMatchObject({ type: 'ok' });
  });

  test('says who is not there', async () => {
    const { harness, owner } = await inADen();
    await harness.enter('dave');
    await expectRefused(owner, kick('dave'), 'NO_SUCH_USER');
    await expectRefused(owner, kick('nobody'), 'NO_SUCH_USER');
    await expectRefused(owner, kick('bob', 'nowhere' as RoomName), 'NO_SUCH_ROOM');
    await (await harness.enter('erin')).join('attic');
    await expectRefused(owner, kick('erin', 'attic' as RoomName), 'NOT_A_MEMBER');
  });
});

describe('kicking from the server', () => {
  test('is for admins: every session is closed with the reason', async () => {
    const { harness, owner, bob, root } = await inADen();
    const phone = await harness.enter('bob');
    await expectRefused(owner, kick('bob', null), 'NOT_ALLOWED');
    await expectRefused(root, kick('root', null), 'NOT_ALLOWED');
    expect(await root.ask(kick('bob', null, 'enough'))).toMatchObject({ type: 'ok' });
    for (const guest of [bob, phone]) {
      expect(guest.ended).toMatchObject({ code: 'KICKED', message: expect.stringContaining('by root: enough') });
    }
    expect(await refusalOf(harness, 'bob')).toBeUndefined();
  });
});

describe('banning from a room', () => {
  test('takes people out and keeps them out until the ban ends by itself', async () => {
    const { harness, owner, bob } = await inADen();
    const untilMs = harness.clock.nowMs() + HOUR_MS;
    expect(await owner.ask(ban('bob', HOUR_MS, DEN, 'spam'))).toMatchObject({ type: 'ok' });
    expect(bob.seen('removed')).toMatchObject([{ removal: 'ban', by: 'owner', reason: 'spam', untilMs }]);
    const refused = await bob.ask(joinDen);
    expect(refused).toMatchObject({ code: ERRORS.ROOM_BANNED.wire, untilMs });
    expect((refused as { text: string }).text).toBe('You are banned from that room (by owner: spam).');
    await harness.pass(HOUR_MS - 1);
    await expectRefused(bob, joinDen, 'ROOM_BANNED');
    await harness.pass(1);
    expect(await bob.ask(joinDen)).toMatchObject({ type: 'ok' });
  });

  test('holds against another name, another session and another connection of the same identity', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(ban('bob'));
    await bob.ask({ type: 'nick', name: 'robert' as UserName });
    await expectRefused(bob, joinDen, 'ROOM_BANNED');
    bob.leave();
    const again = await harness.enter('bobby', { fp: fingerprintOf('bob') });
    await expectRefused(again, joinDen, 'ROOM_BANNED');
  });

  test('holds against the name, whoever bears it', async () => {
    const { harness, owner } = await inADen();
    await owner.ask(ban('Troll'));
    const troll = await harness.enter('tROLL');
    await expectRefused(troll, joinDen, 'ROOM_BANNED');
  });

  test('takes out whoever else has the banned identity', async () => {
    const { harness, owner, bob } = await inADen();
    const alias = await harness.enter('bobs_bot', { fp: fingerprintOf('bob') });
    await alias.join();
    await owner.ask(ban('bob'));
    expect([bob, alias].map((guest) => guest.seen('removed').length)).toEqual([1, 1]);
  });

  test('by fingerprint and by address', async () => {
    const { harness, owner, bob, carol } = await inADen();
    await owner.ask(ban(fingerprintOf('bob')));
    expect(bob.seen('removed')).toHaveLength(1);
    const dave = await harness.enter('dave', { address: '198.51.100.7' });
    await dave.join();
    await owner.ask(ban('198.51.100.7'));
    expect(dave.seen('removed')).toHaveLength(1);
    expect(carol.seen('removed')).toEqual([]);
    await expectRefused(await harness.enter('erin', { address: '198.51.100.7' }), joinDen, 'ROOM_BANNED');
  });

  test('can be lifted, however the target is written', async () => {
    const { harness, owner, bob } = await inADen();
    await harness.enter('straße');
    await owner.ask(ban('bob'));
    await owner.ask(ban('straße'));
    await owner.ask(ban('2001:DB8:0::1'));
    expect(await owner.ask(unban('BOB'))).toMatchObject({ type: 'ok' });
    expect(await owner.ask(unban('STRASSE'))).toMatchObject({ type: 'ok' });
    expect(await owner.ask(unban('2001:db8::1'))).toMatchObject({ type: 'ok' });
    await expectRefused(owner, unban('bob'), 'NO_SUCH_USER');
    expect(await bob.ask(joinDen)).toMatchObject({ type: 'ok' });
  });

  test('is listed with who, why and until when, and takes the place of an older one', async () => {
    const { harness, owner } = await inADen();
    await owner.ask(ban('bob', HOUR_MS, DEN, 'spam'));
    await owner.ask(ban('BOB', 2 * HOUR_MS));
    await owner.ask(ban('192.0.2.77'));
    await owner.ask({ type: 'bans', room: DEN, penalty: 'ban' });
    expect(owner.seen('bans').flatMap(({ bans }) => bans)).toEqual([
      { target: 'BOB', by: 'owner', untilMs: harness.clock.nowMs() + 2 * HOUR_MS, reason: null },
      { target: '192.0.2.77', by: 'owner', untilMs: null, reason: null },
    ]);
  });

  test('is for owners and admins, and not against them or oneself', async () => {
    const { harness, owner, bob } = await inADen();
    await expectRefused(bob, ban('carol'), 'NOT_ALLOWED');
    await expectRefused(bob, { type: 'bans', room: DEN, penalty: 'ban' }, 'NOT_ALLOWED');
    await expectRefused(bob, unban('carol'), 'NOT_ALLOWED');
    await expectRefused(owner, ban('owner'), 'NOT_ALLOWED');
    await expectRefused(owner, ban('root'), 'NOT_ALLOWED');
    // Everybody is at this address, the owner too.
    await expectRefused(owner, ban('192.0.2.1'), 'NOT_ALLOWED');
    expect(harness.hub.rooms.find(DEN)?.bans.rows(0)).toEqual([]);
  });

  test('does not keep an admin out', async () => {
    const { owner, root } = await inADen();
    await owner.ask(ban('192.0.2.99'));
    expect(await root.ask(joinDen)).toMatchObject({ type: 'ok' });
  });

  test('needs something to lay it on', async () => {
    const { owner } = await inADen();
    for (const target of ['', ' ', 'a b', '::::', ':', '256.1.1.1', '1.2.3', 'SHA256:short', '\u202eevil']) {
      if (target === '1.2.3') expect(await owner.ask(ban(target))).toMatchObject({ type: 'ok' });
      else await expectRefused(owner, ban(target), 'BAD_REQUEST');
    }
  });

  test('for longer than time lasts is one that everybody can still read', async () => {
    const { harness, owner, bob } = await inADen();
    for (const durationMs of [Number.MAX_SAFE_INTEGER, 8.64e15]) {
      expect(await owner.ask(ban('bob', durationMs))).toMatchObject({ type: 'ok' });
      await expectRefused(bob, joinDen, 'ROOM_BANNED');
      await owner.ask({ type: 'bans', room: DEN, penalty: 'ban' });
    }
    expect(owner.seen('bans').at(-1)?.bans[0]?.untilMs).toBe(8.64e15);
    await harness.pass(1_000 * HOUR_MS);
    await expectRefused(bob, joinDen, 'ROOM_BANNED');
  });

  test('has its number: five hundred, and then old ones can still be changed', async () => {
    const { owner } = await inADen({ messageBurst: 10_000, byteBurst: 1e9 });
    for (let i = 0; i < 500; i += 1) await owner.ask(ban(`${'\u{20000}'.repeat(40)}${i}`, null, DEN, '日'.repeat(170)));
    await expectRefused(owner, ban('onemore'), 'BAD_REQUEST');
    expect(await owner.ask(ban(`${'\u{20000}'.repeat(40)}7`))).toMatchObject({ type: 'ok' });
    await owner.ask({ type: 'bans', room: DEN, penalty: 'ban' });
    expect(owner.seen('bans').flatMap(({ bans }) => bans)).toHaveLength(500);
    expect(Math.max(...owner.sizes)).toBeLessThanOrEqual(262_144);
  });
});

describe('banning from the server', () => {
  test('is for admins: it closes what is there and refuses what comes', async () => {
    const { harness, owner, bob, root } = await inADen();
    await expectRefused(owner, ban('bob', null, null), 'NOT_ALLOWED');
    expect(await root.ask(ban('bob', HOUR_MS, null, 'spam'))).toMatchObject({ type: 'ok' });
    expect(bob.ended).toMatchObject({ code: 'BANNED', untilMs: harness.clock.nowMs() + HOUR_MS });
    expect(await refusalOf(harness, 'bob')).toBe('BANNED');
    expect(await refusalOf(harness, 'bobby', { fp: fingerprintOf('bob') })).toBe('BANNED');
    expect(await refusalOf(harness, 'bob', { fp: fingerprintOf('another') })).toBe('BANNED');
    await harness.pass(HOUR_MS);
    expect(await refusalOf(harness, 'bob')).toBeUndefined();
  });

  test('by address refuses connections before there is anybody to ask', async () => {
    const { harness, root } = await inADen();
    expect(harness.hub.addressRefusal('203.0.113.9')).toBeUndefined();
    const dave = await harness.enter('dave', { address: '203.0.113.9' });
    await root.ask(ban('203.0.113.9', 90_000, null));
    expect(dave.ended).toMatchObject({ code: 'BANNED' });
    expect(harness.hub.addressRefusal('203.0.113.9')).toMatchObject({ code: 'BANNED', retryAfterMs: 90_000 });
    expect(harness.hub.addressRefusal('203.0.113.10')).toBeUndefined();
    await harness.pass(90_000);
    expect(harness.hub.addressRefusal('203.0.113.9')).toBeUndefined();
  });

  test.each([
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:db8:0:0:0:0:0:a', '2001:db8::a'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::ffff:cb00:7109', '203.0.113.9'],
    ['203.0.113.9', '203.0.113.9'],
  ])('by address holds however it is written: %s', async (target, address) => {
    const { harness, root } = await inADen();
    expect(await root.ask(ban(target, null, null))).toMatchObject({ type: 'ok' });
    expect(harness.hub.addressRefusal(address)).toMatchObject({ code: 'BANNED' });
  });

  test('keeps a name from being taken', async () => {
    const { bob, root } = await inADen();
    await root.ask(ban('admin', null, null));
    await expectRefused(bob, { type: 'nick', name: 'Admin' as UserName }, 'BANNED');
    expect(bob.session.user.name).toBe('bob');
  });

  test('of several at once closes them all', async () => {
    const { harness, owner, bob, carol, root } = await inADen();
    await root.ask(ban('192.0.2.1', null, null));
    expect([owner, bob, carol].map(({ ended }) => ended?.code)).toEqual(['BANNED', 'BANNED', 'BANNED']);
    expect(harness.hub.users.size).toBe(1);
  });
});

describe('a session that is too far behind', () => {
  test('is closed when it cannot be told that it was removed', async () => {
    const { owner, bob } = await inADen();
    bob.isHopeless = true;
    expect(await owner.ask(kick('bob'))).toMatchObject({ type: 'ok' });
    expect(bob.ended).toMatchObject({ code: 'SLOW_READER' });
  });

  test('is closed when it cannot be told its new name, and the others of the user go on', async () => {
    const { harness, bob } = await inADen();
    const phone = await harness.enter('bob');
    bob.isHopeless = true;
    expect(await phone.ask({ type: 'nick', name: 'robert' as UserName })).toMatchObject({ type: 'ok' });
    expect(bob.ended).toMatchObject({ code: 'SLOW_READER' });
    expect(phone.session.user.name).toBe('robert');
  });
});
