import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { Role } from '../../../lib/protocol/messages.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, type Guest, HubHarness, newId } from './harness.ts';

const DEN = 'den' as RoomName;
const role = (name: string, to: Role): Ask => ({ type: 'role', room: DEN, name: name as UserName, role: to });
const mute = (target: string, room: RoomName | null = DEN, durationMs: number | null = null): Ask => ({
  type: 'ban',
  room,
  target,
  penalty: 'mute',
  durationMs,
  reason: 'enough',
});
const unmute = (target: string, room: RoomName | null = DEN): Ask => ({ type: 'unban', room, target, penalty: 'mute' });
const ban = (target: string, room: RoomName | null = DEN): Ask => ({
  type: 'ban',
  room,
  target,
  penalty: 'ban',
  durationMs: null,
  reason: null,
});
const notAllowed = { type: 'error', code: ERRORS.NOT_ALLOWED.wire };

async function inADen() {
  const harness = new HubHarness({ admins: [fingerprintOf('root')] });
  const [owner, bob, carol] = [await harness.enter('owner'), await harness.enter('bob'), await harness.enter('carol')];
  for (const guest of [owner, bob, carol]) await guest.join('den', true);
  return { harness, owner, bob, carol };
}

async function codeOf(guest: Guest, ask: Ask): Promise<number | null> {
  const answer = await guest.ask(ask);
  return answer.type === 'error' ? answer.code : null;
}

describe('a moderator', () => {
  test('is made and unmade by the owner, rules members, and neither the owner nor other moderators', async () => {
    const { owner, bob, carol } = await inADen();
    expect(await bob.ask(mute('carol'))).toMatchObject(notAllowed);
    expect(await bob.ask(role('bob', 'moderator'))).toMatchObject(notAllowed);
    expect(await owner.ask(role('bob', 'moderator'))).toMatchObject({ type: 'ok' });
    expect(carol.changes()).toContain('role bob owner');
    expect(await bob.ask(mute('carol'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask(mute('owner'))).toMatchObject(notAllowed);
    await owner.ask(role('carol', 'moderator'));
    expect(await bob.ask({ type: 'kick', room: DEN, name: 'carol' as UserName, reason: null })).toMatchObject(
      notAllowed,
    );
    await owner.ask(role('bob', 'member'));
    expect(await bob.ask(unmute('carol'))).toMatchObject(notAllowed);
  });

  test('does not lift what was laid on himself', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(role('bob', 'moderator'));
    await owner.ask(mute('bob'));
    expect(await bob.ask(unmute('bob'))).toMatchObject(notAllowed);
    expect(await bob.say('hi', 'den')).toMatchObject({ type: 'error' });
    // An admin may, and so may another moderator.
    const root = await harness.enter('root');
    await root.join('den');
    expect(await root.ask(unmute('bob'))).toMatchObject({ type: 'ok' });
  });

  test('stays one over a change of name and a return', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(role('bob', 'moderator'));
    await bob.ask({ type: 'nick', name: 'robert' as UserName });
    bob.leave();
    expect((await (await harness.enter('bob')).join('den')).role).toBe('moderator');
    const mallory = await harness.enter('robert', { fp: fingerprintOf('mallory') });
    expect((await mallory.join('den')).role).toBe('member');
  });

  test('cannot keep out an owner who is away, neither by name, key or address', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(role('bob', 'moderator'));
    owner.leave();
    expect(await bob.ask(ban('owner'))).toMatchObject(notAllowed);
    expect(await bob.ask(ban(fingerprintOf('owner')))).toMatchObject(notAllowed);
    expect(await bob.ask(ban('203.0.113.0/24'))).toMatchObject({ type: 'ok' });
    const back = await harness.enter('owner', { address: '203.0.113.5' });
    expect((await back.join('den')).role).toBe('owner');
    const stranger = await harness.enter('stranger', { address: '203.0.113.6' });
    await expect(stranger.join('den')).rejects.toThrow('banned');
  });
});

describe('an owner', () => {
  test('may share the room, not take it from another, and step down', async () => {
    const { owner, bob } = await inADen();
    expect(await owner.ask(role('bob', 'owner'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask(role('owner', 'member'))).toMatchObject(notAllowed);
    expect(await owner.ask(role('owner', 'member'))).toMatchObject({ type: 'ok' });
    expect(await owner.ask(role('bob', 'member'))).toMatchObject(notAllowed);
    expect(await codeOf(bob, role('owner', 'admin'))).toBe(ERRORS.BAD_REQUEST.wire);
  });
});

describe('somebody muted', () => {
  test('hears and may not speak, until the mute ends or is lifted', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(mute('bob', DEN, 60_000));
    const refused = await bob.say('hello');
    expect(refused).toMatchObject({ code: ERRORS.MUTED.wire, untilMs: harness.clock.nowMs() + 60_000 });
    await owner.say('quiet now');
    expect(bob.bodies()).toEqual(['quiet now']);
    await harness.pass(60_000);
    expect(await bob.say('again')).toMatchObject({ type: 'ok' });
    await owner.ask(mute('bob'));
    expect(await bob.say('more')).toMatchObject({ code: ERRORS.MUTED.wire });
    expect(await owner.ask(unmute('bob'))).toMatchObject({ type: 'ok' });
    expect(await bob.say('more')).toMatchObject({ type: 'ok' });
    expect(owner.changes()).toEqual(expect.arrayContaining(['mute bob owner', 'unmute bob owner']));
  });

  test('is so under every name, and in every room when an admin says so', async () => {
    const { harness, bob } = await inADen();
    const root = await harness.enter('root');
    await bob.join('attic');
    await root.ask(mute('bob', null));
    await bob.ask({ type: 'nick', name: 'innocent' as UserName });
    expect(await bob.say('hello', 'attic')).toMatchObject({ code: ERRORS.MUTED.wire });
    await root.ask({ type: 'bans', room: null, penalty: 'mute' });
    expect(root.seen('bans').flatMap(({ bans }) => bans)).toMatchObject([{ target: 'bob', reason: 'enough' }]);
    await root.ask({ type: 'bans', room: null, penalty: 'ban' });
    expect(root.seen('bans')).toHaveLength(1);
  });

  test('does not speak by other means: the topic, invitations, and, muted everywhere, in private or by publishing', async () => {
    const { harness, owner, bob } = await inADen();
    const root = await harness.enter('root');
    const topic: Ask = { type: 'topic', room: DEN, topic: 'buy this' };
    const invite: Ask = { type: 'invite', room: DEN, name: 'owner' as UserName, code: null };
    const tell = (): Ask => ({ type: 'tell', id: newId(), to: 'owner' as UserName, kind: 'text', body: 'buy this' });
    const publish = (): Ask => ({ type: 'publish', id: newId(), kind: 'text', body: 'buy this' });
    await owner.ask(mute('bob'));
    for (const ask of [topic, invite]) expect(await codeOf(bob, ask)).toBe(ERRORS.MUTED.wire);
    for (const ask of [tell(), publish()]) expect(await codeOf(bob, ask)).toBeNull();
    await owner.ask(unmute('bob'));
    await root.ask(mute('bob', null));
    for (const ask of [topic, invite, tell(), publish()]) expect(await codeOf(bob, ask)).toBe(ERRORS.MUTED.wire);
  });
});

describe('a ban of a range of addresses', () => {
  test('meets all in it and nobody else, and is one and the same however it is written', async () => {
    const harness = new HubHarness({ admins: [fingerprintOf('root')] });
    const root = await harness.enter('root', { address: '203.0.113.1' });
    const inside = await harness.enter('inside', { address: '198.51.100.77' });
    expect(await root.ask(ban('198.51.100.77/24', null))).toMatchObject({ type: 'ok' });
    expect(inside.ended).toMatchObject({ code: 'BANNED' });
    await expect(harness.enter('other', { address: '::ffff:198.51.100.1' })).rejects.toMatchObject({ code: 'BANNED' });
    await expect(harness.enter('outside', { address: '198.51.101.1' })).resolves.toBeDefined();
    expect(await root.ask({ type: 'unban', room: null, target: '198.51.100.0/24', penalty: 'ban' })).toMatchObject({
      type: 'ok',
    });
    await expect(harness.enter('other', { address: '198.51.100.1' })).resolves.toBeDefined();
  });

  test.each(['300.1.1.1', '10.0.0.0/33', '::/129', '10.0.0.0/', 'a/b', '1.2.3.4.5/8'])('is not %s', async (target) => {
    const harness = new HubHarness({ admins: [fingerprintOf('root')] });
    const root = await harness.enter('root');
    expect(await codeOf(root, ban(target, null))).toBe(ERRORS.BAD_REQUEST.wire);
  });
});

describe('what moderators did', () => {
  test('is kept with who, what and whom', async () => {
    const { harness, owner } = await inADen();
    await owner.ask(mute('bob', DEN, 60_000));
    await owner.ask(unmute('bob'));
    await owner.ask({ type: 'kick', room: DEN, name: 'carol' as UserName, reason: 'spam' });
    await harness.endTurn();
    expect(await harness.hub.audit.list(10)).toMatchObject([
      { by: 'owner', action: 'kick', user: 'carol', room: 'den', reason: 'spam' },
      { by: 'owner', action: 'unmute', target: 'bob' },
      { by: 'owner', action: 'mute', target: 'bob', reason: 'enough', fp: fingerprintOf('owner') },
    ]);
  });
});

describe('a room and its rules', () => {
  test('are there again after a restart on the same store', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(role('bob', 'moderator'));
    await owner.ask({ type: 'topic', room: DEN, topic: 'still here' });
    await owner.ask(ban('carol'));
    await owner.ask(mute('mallory'));
    const after = new HubHarness({}, harness.store);
    const again = await after.enter('bob');
    expect(await again.join('den')).toMatchObject({ role: 'moderator', owner: 'owner', topic: 'still here' });
    const carol = await after.enter('carol');
    expect(await codeOf(carol, { type: 'join', room: DEN, watch: false, code: null, create: null })).toBe(
      ERRORS.ROOM_BANNED.wire,
    );
    expect(bob.session.isGone).toBe(false);
  });

  test('outlive their members when the owner says so', async () => {
    const { harness, owner, bob } = await inADen();
    expect(await bob.ask({ type: 'retain', room: DEN, on: true })).toMatchObject(notAllowed);
    expect(await owner.ask({ type: 'retain', room: DEN, on: true })).toMatchObject({ type: 'ok' });
    await owner.say('for tomorrow');
    for (const guest of [...harness.hub.users.all()]) for (const one of [...guest.sessions]) harness.hub.exit(one);
    await harness.pass(600_000);
    expect(harness.hub.rooms.size).toBe(0);
    const dave = await harness.enter('dave');
    expect(await dave.join('den')).toMatchObject({ owner: 'owner', last: 1 });
  });

  test('survive a change that another makes at the same time', async () => {
    const { harness, owner, bob } = await inADen();
    await owner.ask(role('bob', 'moderator'));
    const both = [owner.start(mute('carol')), bob.start(ban('mallory'))];
    await Promise.all(both.map(({ done }) => done));
    await harness.endTurn();
    const { state } = harness.hub.rooms.find(DEN) as never as { state: { mutes: unknown[]; bans: unknown[] } };
    expect([state.mutes, state.bans]).toMatchObject([[{ target: 'carol' }], [{ target: 'mallory' }]]);
    expect((await harness.store.get('room', 'den'))?.value).toEqual(state);
  });

  test('are changed by many at once, and all of it holds', async () => {
    const { harness, owner } = await inADen();
    const sessions = await Promise.all(Array.from({ length: 4 }, () => harness.enter('owner')));
    for (const session of sessions) await session.join('den');
    const all = [owner, ...sessions].flatMap((session, i) =>
      Array.from({ length: 10 }, (_, j) => ({ session, ...session.start(mute(`10.0.${i}.${j}`)) })),
    );
    await harness.endTurn();
    for (const { session, req } of all) expect(session.answersTo(req)).toMatchObject([{ type: 'ok' }]);
    expect(harness.hub.rooms.find(DEN)?.mutes.all).toHaveLength(50);
  });
});

describe('the line that greets everybody', () => {
  test('is set by admins and stays over a restart', async () => {
    const { harness, owner } = await inADen();
    const root = await harness.enter('root');
    expect(await owner.ask({ type: 'motd', text: 'mine' })).toMatchObject(notAllowed);
    expect(await root.ask({ type: 'motd', text: 'Be kind.' })).toMatchObject({ type: 'ok' });
    expect((await harness.enter('dave')).seen('welcome')).toMatchObject([{ motd: 'Be kind.' }]);
    const after = new HubHarness({ motd: 'configured' }, harness.store);
    await after.hub.start();
    expect((await after.enter('eve')).seen('welcome')).toMatchObject([{ motd: 'Be kind.' }]);
  });
});
