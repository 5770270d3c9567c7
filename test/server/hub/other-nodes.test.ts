import { describe, expect, test } from 'vitest';
import { type BcastError, ERRORS } from '../../../lib/errors.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';
import { removeUser } from '../../../lib/server/admin/people.ts';
import type { Fate } from '../../helpers/memory-network.ts';
import { type EnterOptions, fingerprintOf, type Guest, newId } from './harness.ts';
import { type NetworkHarness, type NodeHarness, startTwo } from './network-harness.ts';

const DEN = requireRoomName('den');

describe('names on several nodes', () => {
  test('are held once: of two who want one at the same time one gets it, a hundred times', async () => {
    const [network, one, two] = await startTwo();
    for (let i = 0; i < 100; i += 1) {
      const results = await Promise.allSettled([
        one.enter(`Racer${i}`, { fp: fingerprintOf('a') }),
        two.enter(`racer${i}`, { fp: fingerprintOf('b') }),
      ]);
      await network.settle();
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(one.hub.users.size + two.hub.users.size).toBe(i + 1);
    }
  });

  test('may be held by one person on both, up to the sessions allowed', async () => {
    const [, one, two] = await startTwo({ maxSessionsPerUser: 2 });
    await one.enter('alice');
    await two.enter('alice');
    await expect(one.enter('alice')).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    await expect(two.enter('alice', { fp: fingerprintOf('eve') })).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test('are free when the last session has left, wherever it was', async () => {
    const [network, one, two] = await startTwo();
    const [first, second] = [await one.enter('alice'), await two.enter('alice')];
    first.leave();
    await network.settle();
    await expect(one.enter('alice', { fp: fingerprintOf('eve') })).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    second.leave();
    await network.settle();
    await one.enter('alice', { fp: fingerprintOf('eve') });
  });

  test('change on all nodes where the user is, and everybody is told once', async () => {
    const [network, one, two] = await startTwo();
    const [here, there] = [await one.enter('alice'), await two.enter('alice')];
    const [bob, carol] = [await one.enter('bob'), await two.enter('carol')];
    for (const guest of [here, there, bob, carol]) await guest.join('den', true);
    await network.settle();
    expect(await here.ask({ type: 'nick', name: requireUserName('alicia') })).toMatchObject({ type: 'ok' });
    await network.settle();
    for (const guest of [here, there]) expect(guest.seen('renamed').map(({ name }) => name)).toEqual(['alicia']);
    for (const guest of [bob, carol]) {
      expect(guest.changes().filter((change) => change.startsWith('nick'))).toEqual(['nick alice alicia']);
      expect(await namesIn(network, guest)).toEqual(['alicia', 'bob', 'carol']);
    }
    await expect(one.enter('alicia', { fp: fingerprintOf('eve') })).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    await two.enter('alice', { fp: fingerprintOf('eve') });
  });

  test('cannot be changed to one that somebody on another node has', async () => {
    const [network, one, two] = await startTwo();
    const alice = await one.enter('alice');
    await two.enter('bob');
    expect(await alice.ask({ type: 'nick', name: requireUserName('BOB') })).toMatchObject({ code: 2005 });
    await network.settle();
    await expect(two.enter('alice', { fp: fingerprintOf('eve') })).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test('registered on one node are known to be so on the other', async () => {
    const [network, one, two] = await startTwo();
    const [here, there] = [await one.enter('alice'), await two.enter('alice')];
    expect(await here.ask({ type: 'register', password: null })).toMatchObject({ type: 'ok' });
    await network.settle();
    expect(there.session.user.account).not.toBeNull();
    await expect(two.enter('alice', { fp: fingerprintOf('eve') })).rejects.toMatchObject({ code: 'NAME_REGISTERED' });
    await two.enter('alice');
  });
});

describe('who is in a room', () => {
  test('is the same on every node after any joins and leaves, and so are the counts', async () => {
    const [network, one, two] = await startTwo();
    const three = await network.start();
    const nodes = [one, two, three];
    const guests = new Map<string, Guest>();
    for (let i = 0; i < 30; i += 1) guests.set(`g${i}`, await (nodes[i % 3] as NodeHarness).enter(`g${i}`));
    const witness = await one.enter('witness');
    const inside = new Set<string>();
    await witness.join();
    for (const [i, step] of steps(100, 30).entries()) {
      const guest = guests.get(`g${step}`) as Guest;
      if (inside.delete(`g${step}`)) await guest.ask({ type: 'leave', room: DEN });
      else if (inside.add(`g${step}`)) await guest.join('den', i % 2 === 0);
    }
    await network.settle();
    const expected = ['witness', ...inside].sort();
    const seers = [witness, ...[...inside].map((name) => guests.get(name) as Guest)];
    for (const guest of seers) expect(await namesIn(network, guest)).toEqual(expected);
    for (const guest of guests.values()) {
      await guest.ask({ type: 'rooms' });
      expect(guest.seen('rooms').at(-1)?.rooms).toMatchObject([{ room: 'den', members: expected.length }]);
    }
  });

  test('is told to watchers elsewhere, once for a person with sessions on both nodes', async () => {
    const [network, one, two] = await startTwo();
    const bob = await two.enter('bob');
    await bob.join('den', true);
    const [here, there] = [await one.enter('alice'), await two.enter('alice')];
    for (const guest of [here, there]) {
      await guest.join();
      await network.settle();
    }
    for (const guest of [here, there]) {
      await guest.ask({ type: 'leave', room: DEN });
      await network.settle();
    }
    expect(bob.changes().filter((change) => change.endsWith('alice'))).toEqual(['join alice', 'leave alice']);
  });

  test('counts those of all nodes in what a newcomer is told', async () => {
    const [network, one, two] = await startTwo();
    await (await one.enter('alice')).join();
    await network.settle();
    expect((await (await two.enter('bob')).join()).members).toBe(2);
  });

  test('is right although somebody came while the room was being loaded', async () => {
    const [network, one, two] = await startTwo();
    await (await one.enter('alice')).join();
    await network.settle();
    const gate = two.store.hold('open');
    const bob = await two.enter('bob');
    const joining = bob.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await gate.reached;
    await (await one.enter('carol')).join();
    gate.release();
    await joining.done;
    await network.settle();
    expect(await namesIn(network, bob)).toEqual(['alice', 'bob', 'carol']);
  });
});

describe('what is said in a room', () => {
  test.each<[string, (n: number) => Fate]>([
    ['as it comes', () => 'arrives'],
    ['with every third batch lost', (n) => (n % 3 === 0 ? 'is lost' : 'arrives')],
    ['with every batch twice', () => 'comes twice'],
    ['with all of it lost', () => 'is lost'],
  ])('reaches everybody once and in order, %s', async (_, fate) => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join();
    let batches = 0;
    network.network.fateOfMessages = () => fate(++batches);
    for (let i = 0; i < 30; i += 1) {
      alice.startSay(`a${i}`);
      bob.startSay(`b${i}`);
      await network.pass(i % 2 === 0 ? 0 : 60);
    }
    await network.pass(2_000);
    await network.pass(60);
    await expectAll(network, [alice, bob], 60);
  });

  test('reaches everybody once and in order, however news overtake each other', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join();
    for (let round = 0; round < 20; round += 1) {
      network.network.hold();
      for (let i = 0; i < 4; i += 1) {
        alice.startSay(`a${round}.${i}`);
        bob.startSay(`b${round}.${i}`);
        await network.settle();
      }
      network.network.flow((waiting) => shuffled(waiting, round));
      await network.settle();
    }
    await network.pass(60);
    await expectAll(network, [alice, bob], 160);
  });

  test('by another node while a room is loaded is not missed', async () => {
    const [network, one, two] = await startTwo();
    const alice = await one.enter('alice');
    await alice.join();
    const guest = await two.enter('bob');
    const opening = two.store.hold('open');
    const joining = guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await opening.reached;
    await alice.say('early');
    opening.release();
    await joining.done;
    await network.settle();
    await alice.say('late');
    await network.pass(60);
    const joined = guest.seen('joined').at(-1);
    expect(guest.bodies()).toEqual(joined?.last === 0 ? ['early', 'late'] : ['late']);
  });

  test('is shown to those here although what was stored before it cannot be had just now', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = await all(network, [one, 'alice'], [two, 'bob'], [two, 'carol']);
    network.network.fateOfMessages = () => 'is lost';
    await alice.say('not heard');
    two.store.hold('read');
    bob.startSay('behind it');
    await network.settle();
    await network.pass(60);
    expect(carol.seen('unstored').map(({ body }) => body)).toEqual(['behind it']);
  });

  test('what is answered by the end of the turn is not shown as late', async () => {
    const [network, , two] = await startTwo();
    const [bob, carol] = await all(network, [two, 'bob'], [two, 'carol']);
    const gate = two.store.hold('append');
    bob.startSay('in time');
    await network.settle();
    two.clock.advance(30);
    gate.release();
    await network.settle();
    expect(carol.bodies()).toEqual(['in time']);
    expect(carol.seen('unstored')).toEqual([]);
  });

  test('what waits is not late while the store goes on, and is when it does not', async () => {
    const [network, , two] = await startTwo();
    const [bob, carol] = await all(network, [two, 'bob'], [two, 'carol']);
    const first = two.store.hold('append');
    bob.startSay('first');
    await network.settle();
    bob.startSay('second');
    await network.pass(20);
    two.store.hold('append');
    first.release();
    await network.settle();
    bob.startSay('third');
    await network.pass(20);
    expect(carol.bodies()).toEqual(['first']);
    expect(carol.seen('unstored')).toEqual([]);
    await network.pass(30);
    expect(carol.seen('unstored').map(({ body }) => body)).toEqual(['second', 'third']);
  });

  test('last is fetched although the news of it was lost', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join();
    network.network.fateOfMessages = () => 'is lost';
    await alice.say('lost');
    await network.pass(10_000);
    await network.pass(100);
    expect(bob.bodies()).toEqual(['lost']);
  });
});

describe('between people on different nodes', () => {
  test('private messages reach every session of one user, once', async () => {
    const [network, one, two] = await startTwo();
    const alice = await one.enter('alice');
    const bobs = [await one.enter('bob'), await two.enter('bob'), await two.enter('bob')];
    const id = newId();
    for (let i = 0; i < 2; i += 1) {
      const ask = { type: 'tell', id, to: requireUserName('bob'), kind: 'text', body: 'psst', again: true } as const;
      expect(await alice.ask(ask)).toMatchObject({ type: 'ok' });
      await network.settle();
    }
    for (const bob of bobs) expect(bob.seen('private').map(({ body }) => body)).toEqual(['psst']);
    const nobody = {
      type: 'tell',
      id: newId(),
      to: requireUserName('zoe'),
      kind: 'text',
      body: '?',
      again: true,
    } as const;
    expect(await alice.ask(nobody)).toMatchObject({ type: 'error', code: 4007 });
  });

  test('a private message that cannot be delivered for now is not overtaken by what was sent behind it', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    const tell = (body: string, id = newId()) =>
      ({ type: 'tell', id, to: requireUserName('bob'), kind: 'text', body }) as const;
    const first = tell('first');
    one.node.cut();
    expect(await alice.ask(first)).toMatchObject({ code: ERRORS.UNAVAILABLE.wire });
    one.node.comeBack();
    const second = tell('second');
    expect(await alice.ask(second)).toMatchObject({ code: ERRORS.SLOW_DOWN.wire });
    for (const ask of [first, second]) expect(await alice.ask(ask)).toMatchObject({ type: 'ok' });
    await network.settle();
    expect(bob.seen('private').map(({ body }) => body)).toEqual(['first', 'second']);
  });

  test('publications reach followers, who may follow somebody they have never met on their node', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = [await one.enter('alice'), await two.enter('bob'), await two.enter('carol')];
    expect(await bob.ask({ type: 'follow', name: requireUserName('alice'), on: true })).toMatchObject({ type: 'ok' });
    await alice.ask({ type: 'publish', id: newId(), kind: 'text', body: 'news' });
    await network.settle();
    expect(bob.seen('published').map(({ body }) => body)).toEqual(['news']);
    expect(carol.seen('published')).toEqual([]);
  });

  test('whom a person follows changes for their sessions on both nodes, and no change undoes another', async () => {
    const [network, one, two] = await startTwo();
    const [here, there] = [await one.enter('bob'), await two.enter('bob')];
    const [alice, carol] = [await one.enter('alice'), await two.enter('carol')];
    const follow = (name: string, on = true) => ({ type: 'follow', name: requireUserName(name), on }) as const;
    const asks = [here.start(follow('alice')), there.start(follow('carol'))];
    await Promise.all(asks.map(({ done }) => done));
    await network.settle();
    const publish = { type: 'publish', kind: 'text' } as const;
    await alice.ask({ ...publish, id: newId(), body: 'from alice' });
    await carol.ask({ ...publish, id: newId(), body: 'from carol' });
    await network.settle();
    for (const bob of [here, there])
      expect(bob.seen('published').map(({ body }) => body)).toEqual(['from alice', 'from carol']);
    await here.ask(follow('carol', false));
    await network.settle();
    await there.ask({ type: 'follows' });
    expect(there.seen('follows').at(-1)?.names).toEqual(['alice']);
    await carol.ask({ ...publish, id: newId(), body: 'unheard' });
    await network.settle();
    for (const bob of [here, there]) expect(bob.seen('published')).toHaveLength(2);
  });

  test('topic, typing and away are seen', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join('den', true);
    await network.settle();
    await alice.ask({ type: 'topic', room: DEN, topic: 'cheese' });
    await alice.ask({ type: 'typing', room: DEN });
    await alice.ask({ type: 'away', text: 'tea' });
    await network.settle();
    expect(bob.seen('topic').map(({ topic }) => topic)).toEqual(['cheese']);
    expect(bob.seen('typing').map(({ name }) => name)).toEqual(['alice']);
    expect(bob.changes()).toContain('away alice');
    await bob.ask({ type: 'names', room: DEN });
    expect(bob.seen('members').at(-1)?.members).toContainEqual({ name: 'alice', role: 'owner', away: 'tea' });
  });

  test('receipts count the readers of all nodes', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join();
    await alice.say('read me');
    await network.settle();
    await bob.ask({ type: 'mark', room: DEN, delivered: 1, read: 1 });
    await network.settle();
    await alice.ask({ type: 'receipts', room: DEN, seq: 1 });
    expect(alice.seen('receipts').at(-1)).toMatchObject({ members: 1, delivered: 1, readers: ['bob'] });
  });

  test('whois finds who is elsewhere', async () => {
    const [network, one, two] = await startTwo();
    const alice = await one.enter('alice');
    await (await two.enter('bob')).ask({ type: 'away', text: 'tea' });
    await network.settle();
    expect(await alice.ask({ type: 'whois', name: requireUserName('bob') })).toMatchObject({ type: 'ok' });
    expect(alice.seen('user').at(-1)).toMatchObject({
      name: 'bob',
      fp: fingerprintOf('bob'),
      away: 'tea',
      sessions: 1,
      idleMs: null,
    });
    // Nor is it known of somebody who is here and elsewhere.
    const here = await one.enter('bob');
    const whois = { type: 'whois', name: requireUserName('bob') } as const;
    await alice.ask(whois);
    expect(alice.seen('user').at(-1)).toMatchObject({ sessions: 2, idleMs: null });
    here.leave();
    await network.settle();
    await alice.ask({ ...whois, name: requireUserName('alice') });
    expect(alice.seen('user').at(-1)).toMatchObject({ sessions: 1, idleMs: 0 });
  });
});

describe('who rules a room', () => {
  test('kicks somebody on another node, whom everybody sees go', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = await all(network, [one, 'alice'], [two, 'bob'], [two, 'carol']);
    await alice.ask({ type: 'kick', room: DEN, name: requireUserName('bob'), reason: 'noise' });
    await network.settle();
    expect(bob.seen('removed')).toMatchObject([{ removal: 'kick', by: 'alice', reason: 'noise' }]);
    expect(carol.changes()).toEqual(['kick bob alice']);
    for (const guest of [alice, carol]) expect(await namesIn(network, guest)).toEqual(['alice', 'carol']);
  });

  test('bans somebody on another node by name, and the key behind it stays out everywhere', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = await all(network, [one, 'alice'], [two, 'bob']);
    await alice.ask({ type: 'ban', room: DEN, target: 'bob', penalty: 'ban', durationMs: null, reason: null });
    await network.settle();
    expect(bob.seen('removed')).toMatchObject([{ removal: 'ban' }]);
    for (const node of [one, two]) {
      const again = await node.enter('robert', { fp: fingerprintOf('bob') });
      expect(await again.ask({ type: 'join', room: DEN, watch: false, code: null, create: null })).toMatchObject({
        type: 'error',
        code: 4009,
      });
      again.leave();
      await network.settle();
    }
  });

  test('mutes and gives voice on all nodes', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = await all(network, [one, 'alice'], [two, 'bob']);
    await alice.ask({ type: 'ban', room: DEN, target: 'bob', penalty: 'mute', durationMs: null, reason: null });
    await network.settle();
    expect(await bob.say('hm')).toMatchObject({ type: 'error', code: 4013 });
    await alice.ask({ type: 'unban', room: DEN, target: 'bob', penalty: 'mute' });
    await network.settle();
    expect(await bob.say('ah')).toMatchObject({ type: 'ok' });
  });

  test('gives roles that hold on all nodes', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = await all(network, [one, 'alice'], [two, 'bob'], [one, 'carol']);
    await alice.ask({ type: 'role', room: DEN, name: requireUserName('bob'), role: 'moderator' });
    await network.settle();
    await bob.ask({ type: 'kick', room: DEN, name: requireUserName('carol'), reason: null });
    await network.settle();
    expect(carol.seen('removed')).toMatchObject([{ removal: 'kick', by: 'bob' }]);
  });

  test('lets nobody in by an old code after it was changed on another node', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = [await one.enter('alice'), await two.enter('bob'), await two.enter('carol')];
    await alice.ask({ type: 'join', room: DEN, watch: false, code: null, create: 'locked' });
    const old = alice.seen('joined').at(-1)?.code as string;
    expect(await bob.ask({ type: 'join', room: DEN, watch: false, code: old, create: null })).toMatchObject({
      type: 'ok',
    });
    await network.settle();
    await alice.ask({ type: 'code', room: DEN });
    const fresh = alice.seen('code').at(-1)?.code as string;
    await network.settle();
    expect(fresh).not.toBe(old);
    const join = { type: 'join', room: DEN, watch: false, create: null } as const;
    for (const code of [old, null]) expect(await carol.ask({ ...join, code })).toMatchObject({ code: 4001 });
    expect(await carol.ask({ ...join, code: fresh })).toMatchObject({ type: 'ok' });
  });

  test('of the network bans and expels on all nodes', async () => {
    const [network, one, two] = await startTwo({ admins: [fingerprintOf('root')] });
    const [root, bob, carol] = [await one.enter('root'), await two.enter('bob'), await two.enter('carol')];
    await root.ask({ type: 'kick', room: null, name: requireUserName('carol'), reason: null });
    await root.ask({ type: 'ban', room: null, target: 'bob', penalty: 'ban', durationMs: null, reason: null });
    await network.settle();
    expect(carol.ended).toMatchObject({ code: 'KICKED' });
    expect(bob.ended).toMatchObject({ code: 'BANNED' });
    for (const name of ['bob', 'bert']) {
      await expect(two.enter(name, { fp: fingerprintOf('bob') })).rejects.toMatchObject({ code: 'BANNED' });
    }
  });
});

describe('guesses on several nodes', () => {
  const mallory = { fp: fingerprintOf('mallory'), address: '198.51.100.7' };

  test('at a password count as on one, from one address and from many', async () => {
    const [network, one, two] = await startTwo({ loginAttempts: 4 });
    await (await one.enter('alice')).ask({ type: 'register', password: 'correct horse' });
    const guess = async (node: NodeHarness, password: string, from: EnterOptions) => {
      const outcome = node.enter('alice', { ...from, password }).then(
        (guest) => guest.leave(),
        (error: BcastError) => error,
      );
      await network.settle();
      await network.pass(4_000);
      return outcome;
    };
    for (const node of [one, two, one]) {
      expect(await guess(node, 'wrong horse', mallory)).toMatchObject({ code: 'AUTH_FAILED' });
      for (const { hub } of [one, two]) expect(hub.addressRefusal(mallory.address)).toBeUndefined();
    }
    expect(await guess(two, 'wrong horse', mallory)).toMatchObject({ code: 'AUTH_FAILED' });
    for (const { hub } of [one, two]) expect(hub.addressRefusal(mallory.address)).toMatchObject({ code: 'BANNED' });
    // The owner has been there before, by way of another node, and strangers do not keep her out.
    const home = { fp: fingerprintOf('laptop'), address: '203.0.113.5' };
    expect(await guess(one, 'correct horse', home)).toBeUndefined();
    for (let i = 0; i < 36; i += 1)
      await guess(i % 2 === 0 ? one : two, 'wrong horse', { ...mallory, address: `198.51.100.${i + 10}` });
    const afar = { ...mallory, address: '198.51.100.99' };
    for (const node of [one, two])
      expect(await guess(node, 'correct horse', afar)).toMatchObject({ code: 'AUTH_FAILED' });
    const phone = { fp: fingerprintOf('phone'), address: home.address };
    expect(await guess(two, 'correct horse', phone)).toBeUndefined();
  });

  test('at a password are forgotten everywhere when the right one was given', async () => {
    const [network, one, two] = await startTwo({ loginAttempts: 2 });
    await (await one.enter('alice')).ask({ type: 'register', password: 'correct horse' });
    const from = { fp: fingerprintOf('laptop'), address: '203.0.113.5' };
    const failing = one.enter('alice', { ...from, password: 'wrong horse' }).catch(() => undefined);
    await network.settle();
    await network.pass(4_000);
    await failing;
    await two.enter('alice', { ...from, password: 'correct horse' });
    await network.settle();
    const again = one.enter('alice', { ...mallory, address: from.address, password: 'wrong horse' });
    const refused = expect(again).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    await network.settle();
    await network.pass(4_000);
    await refused;
    for (const { hub } of [one, two]) expect(hub.addressRefusal(from.address)).toBeUndefined();
  });

  test('at a code count as on one; who has given the right one is not held up anywhere', async () => {
    const [network, one, two] = await startTwo();
    const alice = await one.enter('alice');
    await alice.ask({ type: 'join', room: DEN, watch: false, code: null, create: 'locked' });
    const code = alice.seen('joined').at(-1)?.code as string;
    const join = (given: string) => ({ type: 'join', room: DEN, watch: false, code: given, create: null }) as const;
    await (await two.enter('dave')).ask(join(code));
    const bob = await one.enter('bob', { address: '203.0.113.5' });
    expect(await bob.ask(join(code))).toMatchObject({ type: 'ok' });
    bob.leave();
    await network.settle();
    const eves = [await one.enter('eve', mallory), await two.enter('eve', mallory)];
    for (let i = 0; i < 5; i += 1) {
      expect(await (eves[i % 2] as Guest).ask(join('AAAAA'))).toMatchObject({ code: 4001, retryAfterMs: null });
      await network.settle();
    }
    for (const eve of eves) expect(await eve.ask(join(code))).toMatchObject({ code: 4001, retryAfterMs: 600_000 });
    for (let i = 0; i < 45; i += 1) {
      const bot = await (i % 2 === 0 ? one : two).enter(`bot${i}`, { address: `198.51.100.${i + 10}` });
      expect(await bot.ask(join('AAAAA'))).toMatchObject({ code: 4001, retryAfterMs: null });
      bot.leave();
      await network.settle();
    }
    for (const node of [one, two]) {
      const carol = await node.enter(`carol${node.node.id}`, { address: '203.0.113.9' });
      expect(await carol.ask(join(code))).toMatchObject({ code: 4001, retryAfterMs: 600_000 });
    }
    const again = await two.enter('bob', { address: '203.0.113.5' });
    expect(await again.ask(join(code))).toMatchObject({ type: 'ok' });
  });
});

describe('a room', () => {
  test('made on two nodes at the same time is one', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    const asks = [alice, bob].map((guest) =>
      guest.start({ type: 'join', room: DEN, watch: false, code: null, create: null }),
    );
    await Promise.all(asks.map(({ done }) => done));
    await network.settle();
    const [a, b] = [alice, bob].map((guest) => guest.seen('joined').at(-1));
    expect(a?.incarnation).toBe(b?.incarnation);
    expect(a?.owner).toBe(b?.owner);
  });

  test('is kept until nobody is in it on any node, then forgotten once, and comes anew everywhere', async () => {
    const [network, one, two] = await startTwo({ emptyRoomTtl: 1_000 });
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    const before = await alice.join();
    await bob.join();
    await alice.say('old');
    await network.settle();
    await alice.ask({ type: 'leave', room: DEN });
    await network.pass(5_000);
    expect(await network.network.store.bounds(keyOf(DEN))).toMatchObject({ last: 1 });
    await bob.ask({ type: 'leave', room: DEN });
    await network.pass(500);
    expect(await network.network.store.bounds(keyOf(DEN))).not.toBeNull();
    await network.pass(600);
    expect(await network.network.store.bounds(keyOf(DEN))).toBeNull();
    for (const guest of [alice, bob]) {
      const after = await guest.join();
      expect(after.incarnation).not.toBe(before.incarnation);
      expect(after.last).toBe(0);
    }
    await network.settle();
    expect(await namesIn(network, alice)).toEqual(['alice', 'bob']);
  });

  test('that both leave at the same time outlives them as long as one that one leaves', async () => {
    const [network, one, two] = await startTwo({ emptyRoomTtl: 1_000 });
    const [alice, bob] = [await one.enter('alice'), await two.enter('bob')];
    for (const guest of [alice, bob]) await guest.join();
    await network.settle();
    for (const guest of [alice, bob]) guest.start({ type: 'leave', room: DEN });
    await network.pass(900);
    expect(await network.network.store.bounds(keyOf(DEN))).not.toBeNull();
    await network.pass(200);
    await network.pass(1_100);
    expect(await network.network.store.bounds(keyOf(DEN))).toBeNull();
    expect([one, two].map(({ hub }) => hub.rooms.size)).toEqual([0, 0]);
  });
});

describe('a node that is gone', () => {
  test('takes its users with it, out of every room and off their names', async () => {
    const [network, one, two] = await startTwo();
    const [alice, , dave] = await all(network, [one, 'alice'], [two, 'bob'], [one, 'dave']);
    await two.enter('dave').then((guest) => guest.join());
    await network.settle();
    network.network.kill(two.node);
    await network.settle();
    expect(alice.changes().filter((change) => change.startsWith('leave'))).toEqual(['leave bob']);
    expect(await namesIn(network, dave)).toEqual(['alice', 'dave']);
    await one.enter('bob', { fp: fingerprintOf('eve') });
  });

  test('and had only been cut off comes back with whoever is still there', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = await all(network, [one, 'alice'], [two, 'bob'], [two, 'carol']);
    two.node.cut();
    network.network.forget(two.node);
    await alice.say('missed');
    carol.leave();
    await one.enter('bob', { fp: fingerprintOf('eve') }).then((guest) => guest.leave());
    await network.settle();
    const eve = await one.enter('carol', { fp: fingerprintOf('eve') });
    two.node.comeBack();
    await network.settle();
    await network.pass(100);
    expect(bob.bodies()).toEqual(['missed']);
    expect(await namesIn(network, alice)).toEqual(['alice', 'bob']);
    expect(await namesIn(network, bob)).toEqual(['alice', 'bob']);
    expect(eve.ended).toBeUndefined();
  });

  test('loses a name to who took it meanwhile', async () => {
    const [network, one, two] = await startTwo();
    const bob = await two.enter('bob');
    two.node.cut();
    network.network.forget(two.node);
    await one.enter('bob', { fp: fingerprintOf('eve') });
    two.node.comeBack();
    await network.settle();
    expect(bob.ended).toMatchObject({ code: 'NAME_IN_USE' });
  });
});

describe('while a node is cut off', () => {
  test('its members hear each other at once, and everybody hears it all when it is back, once and in order', async () => {
    const [network, one, two] = await startTwo();
    const [alice, bob, carol] = await all(network, [one, 'alice'], [two, 'bob'], [two, 'carol']);
    await alice.say('before');
    await network.settle();
    two.node.cut();
    const meanwhile = ['one', 'two', 'three', 'four'];
    for (const body of meanwhile) {
      bob.startSay(body);
      await network.settle();
      await network.pass(60);
      expect(carol.seen('unstored').at(-1)).toMatchObject({ body });
    }
    expect(carol.seen('unstored').map(({ body }) => body)).toEqual(meanwhile);
    await alice.say('there only');
    await network.settle();
    two.node.comeBack();
    await network.settle();
    await network.pass(100);
    await expectAll(network, [alice, bob, carol], 6);
  });

  test('who was given up meanwhile, and whom somebody follows by now, it knows when it is back', async () => {
    const [network, one, two] = await startTwo();
    const [here, there, gone] = [await one.enter('bob'), await two.enter('bob'), await two.enter('gone')];
    await gone.ask({ type: 'register', password: null });
    await one.enter('alice');
    two.node.cut();
    await here.ask({ type: 'follow', name: requireUserName('alice'), on: true });
    await removeUser(one, { name: 'gone' });
    two.node.comeBack();
    await network.settle();
    expect(there.session.user.following.map(({ name }) => name)).toEqual(['alice']);
    expect(gone.ended).toMatchObject({ code: 'KICKED' });
  });

  test('bans and codes that were changed meanwhile hold from when it is back', async () => {
    const [network, one, two] = await startTwo({ admins: [fingerprintOf('root')] });
    const [alice, bob] = await all(network, [one, 'alice'], [two, 'bob']);
    const root = await one.enter('root');
    const mallory = await two.enter('mallory');
    two.node.cut();
    await alice.ask({
      type: 'ban',
      room: DEN,
      target: fingerprintOf('bob'),
      penalty: 'ban',
      durationMs: null,
      reason: null,
    });
    const out = fingerprintOf('mallory');
    await root.ask({ type: 'ban', room: null, target: out, penalty: 'ban', durationMs: null, reason: null });
    two.node.comeBack();
    await network.settle();
    expect(bob.seen('removed')).toMatchObject([{ removal: 'ban' }]);
    expect(mallory.ended).toMatchObject({ code: 'BANNED' });
  });
});

/** Enters all and joins them to one room, where they watch who comes and goes from then on. */
async function all<T extends readonly (readonly [NodeHarness, string])[]>(
  network: NetworkHarness,
  ...who: T
): Promise<{ [K in keyof T]: Guest }> {
  const guests: Guest[] = [];
  for (const [node, name] of who) guests.push(await node.enter(name));
  for (const guest of guests) await guest.join('den', true);
  await network.settle();
  for (const guest of guests) guest.events.length = 0;
  return guests as { [K in keyof T]: Guest };
}

async function namesIn(network: NetworkHarness, guest: Guest, room: RoomName = DEN): Promise<string[]> {
  await network.settle();
  const before = guest.seen('members').length;
  await guest.ask({ type: 'names', room });
  return guest
    .seen('members')
    .slice(before)
    .flatMap(({ members }) => members.map(({ name }) => name))
    .sort();
}

/** Each of them has seen every seq up to the last once and in order, of others as messages and of its own as answers. */
async function expectAll(network: NetworkHarness, guests: readonly Guest[], last: number): Promise<void> {
  await network.settle();
  for (const guest of guests) {
    const seqs = guest.events.flatMap((event) =>
      (event.type === 'message' || event.type === 'ok') && event.seq !== null ? [event.seq] : [],
    );
    expect(seqs).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  }
}

function keyOf(room: RoomName) {
  return room as string as Parameters<NetworkHarness['network']['store']['bounds']>[0];
}

/** A walk that is the same in each run. */
function steps(count: number, most: number): number[] {
  let state = 42;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  });
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const keys = steps(list.length + seed, 1_000).slice(seed);
  return list
    .map((value, i) => ({ value, key: keys[i] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
