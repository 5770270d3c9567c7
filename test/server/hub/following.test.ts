import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, HubHarness, newId } from './harness.ts';

const follow = (name: string, on = true): Ask => ({ type: 'follow', name: name as UserName, on });
const publish = (body: string, id = newId()): Ask => ({ type: 'publish', id, kind: 'text', body });

describe('following', () => {
  test('brings what is published to every session of the follower, in no room, and to nobody else', async () => {
    const harness = new HubHarness();
    const [alice, bob, carol] = [
      await harness.enter('alice'),
      await harness.enter('bob'),
      await harness.enter('carol'),
    ];
    expect(await bob.ask(follow('alice'))).toMatchObject({ type: 'ok' });
    const phone = await harness.enter('bob');
    const id = newId();
    expect(await alice.ask(publish('news', id))).toMatchObject({ type: 'ok', seq: null });
    expect(await alice.ask(publish('news', id))).toMatchObject({ type: 'ok' });
    for (const session of [bob, phone]) {
      expect(session.seen('published')).toMatchObject([{ from: 'alice', body: 'news', fp: fingerprintOf('alice') }]);
    }
    expect([alice.seen('published'), carol.seen('published')]).toEqual([[], []]);
  });

  test('lasts over a reconnection and over changes of name, and ends when told to', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await bob.ask(follow('alice'));
    bob.leave();
    await alice.ask({ type: 'nick', name: 'alicia' as UserName });
    const again = await harness.enter('bob');
    await alice.ask(publish('one'));
    expect(again.seen('published')).toMatchObject([{ from: 'alicia' }]);
    await again.ask({ type: 'follows' });
    expect(again.seen('follows')).toMatchObject([{ names: ['alice'] }]);
    expect(await again.ask(follow('alicia', false))).toMatchObject({ type: 'ok' });
    await alice.ask(publish('two'));
    expect(again.seen('published')).toHaveLength(1);
    const mallory = await harness.enter('alice', { fp: fingerprintOf('mallory') });
    await mallory.ask(publish('three'));
    expect(again.seen('published')).toHaveLength(1);
  });

  test('goes with a name that is registered, in both directions', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await bob.ask(follow('alice'));
    await bob.ask({ type: 'register', password: 'correct horse' });
    const laptop = await harness.enter('bob', { fp: fingerprintOf('laptop'), password: 'correct horse' });
    await alice.ask(publish('one'));
    expect(laptop.seen('published')).toHaveLength(1);
    bob.leave();
    laptop.leave();
    expect(await alice.ask(follow('bob'))).toMatchObject({ type: 'ok' });
    await (await harness.enter('bob')).ask(publish('mine'));
    expect(alice.seen('published')).toMatchObject([{ body: 'mine' }]);
  });

  test('of nobody is refused, and so is what is too large', async () => {
    const harness = new HubHarness({ maxBodyBytes: 10 });
    const alice = await harness.enter('alice');
    expect(await alice.ask(follow('nobody'))).toMatchObject({ code: ERRORS.NO_SUCH_USER.wire });
    expect(await alice.ask(publish('x'.repeat(11)))).toMatchObject({ code: ERRORS.MESSAGE_TOO_LARGE.wire });
  });
});

describe('an invitation', () => {
  test('tells every session of the invited, with the code the inviter gave', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join('den');
    const invite: Ask = { type: 'invite', room: 'den' as RoomName, name: 'bob' as UserName, code: 'A1B2C' };
    expect(await alice.ask(invite)).toMatchObject({ type: 'ok' });
    expect(bob.seen('invited')).toEqual([{ type: 'invited', room: 'den', by: 'alice', code: 'A1B2C' }]);
    expect(await bob.ask({ ...invite, name: 'alice' as UserName })).toMatchObject({ code: ERRORS.NOT_A_MEMBER.wire });
  });
});
