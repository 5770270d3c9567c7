import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import { type RoomName, requireUserName, type UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, HubHarness, newId } from './harness.ts';

const tell = (to: string, body: string, id = newId()): Ask => ({
  type: 'tell',
  id,
  to: to as UserName,
  kind: 'text',
  body,
});
const nick = (name: string): Ask => ({ type: 'nick', name: name as UserName });

describe('a name', () => {
  test('belongs to one identity at a time, without regard to case', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('Alice');
    await expect(harness.enter('alice', { fp: fingerprintOf('mallory') })).rejects.toMatchObject({
      code: 'NAME_IN_USE',
    });
    await expect(harness.enter('ＡＬＩＣＥ', { fp: fingerprintOf('mallory') })).rejects.toThrow();
    alice.leave();
    await expect(harness.enter('alice', { fp: fingerprintOf('mallory') })).resolves.toBeDefined();
  });

  test('raced by fifty is had by one, and nobody hears of the others', async () => {
    const harness = new HubHarness();
    const watcher = await harness.enter('watcher');
    await watcher.join('den', true);
    const racers = Array.from({ length: 50 }, (_, i) =>
      harness.enter(i % 2 === 0 ? 'Prize' : 'pRIZE', { fp: fingerprintOf(`racer ${i}`) }),
    );
    const outcomes = await Promise.allSettled(racers);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'NAME_IN_USE' });
    }
    await harness.endTurn();
    expect(watcher.changes()).toEqual(['join watcher']);
    expect(harness.hub.users.size).toBe(2);
  });

  test('stays as its owner first wrote it, in every session', async () => {
    const harness = new HubHarness();
    await harness.enter('Alice');
    expect((await harness.enter('ALICE')).seen('welcome')).toMatchObject([{ name: 'Alice' }]);
  });

  test('is free as soon as its last session is gone', async () => {
    const harness = new HubHarness();
    const [one, other] = [await harness.enter('alice'), await harness.enter('alice')];
    one.leave();
    await expect(harness.enter('alice', { fp: fingerprintOf('mallory') })).rejects.toThrow();
    other.leave();
    expect(harness.hub.users.size).toBe(0);
  });
});

describe('the name of the operator', () => {
  test.each(['operator', 'OPERATOR', 'ｏｐｅｒａｔｏｒ'])('is nobody’s: %s', async (name) => {
    const harness = new HubHarness();
    const refusal = { code: 'NAME_INVALID', message: expect.stringMatching(/on the server itself/) };
    await expect(harness.enter(name)).rejects.toMatchObject(refusal);
    const alice = await harness.enter('alice');
    expect(await alice.ask(nick(requireUserName(name)))).toMatchObject({ code: ERRORS.NAME_INVALID.wire });
    expect(alice.session.user.name).toBe('alice');
    await expect(harness.enter('operators')).resolves.toBeDefined();
  });
});

describe('a welcome', () => {
  test('says who one is, what one may, and what the server is', async () => {
    const harness = new HubHarness({
      motd: 'Be kind.',
      maxBodyBytes: 1_000,
      idleTimeout: 7_000,
      admins: [fingerprintOf('root')],
    });
    expect((await harness.enter('alice')).events).toEqual([
      {
        type: 'welcome',
        req: 0,
        name: 'alice',
        role: 'member',
        registered: false,
        server: 'bcast test',
        maxBodyBytes: 1_000,
        idleTimeoutMs: 7_000,
        pingIntervalMs: 2_333,
        motd: 'Be kind.',
      },
      { type: 'ok', req: 0, seq: null, ts: null },
    ]);
    expect((await harness.enter('root')).seen('welcome')).toMatchObject([{ role: 'admin' }]);
  });

  test('is said once: another hello is refused', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const again = { type: 'hello', name: 'bob' as UserName, agent: '', password: null } as const;
    expect(await alice.ask(again)).toMatchObject({ code: ERRORS.BAD_REQUEST.wire });
    expect(harness.hub.users.size).toBe(1);
  });
});

describe('sessions of one person', () => {
  test('are as many as the server allows', async () => {
    const harness = new HubHarness({ maxSessionsPerUser: 2 });
    const [first] = [await harness.enter('alice'), await harness.enter('alice')];
    await expect(harness.enter('alice')).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    first.leave();
    await expect(harness.enter('alice')).resolves.toBeDefined();
  });

  test('is one where a second login is refused', async () => {
    const harness = new HubHarness({ maxSessionsPerUser: 1 });
    await harness.enter('alice');
    await expect(harness.enter('alice')).rejects.toMatchObject({ message: 'alice is connected already.' });
  });
});

describe('taking another name', () => {
  test('frees the old one and is refused when it is taken', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    expect(await alice.ask(nick('BOB'))).toMatchObject({ code: ERRORS.NAME_IN_USE.wire });
    expect(alice.session.user.name).toBe('alice');
    expect(await alice.ask(nick('alicia'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask(nick('alice'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask({ type: 'whois', name: 'bob' as UserName })).toMatchObject({ code: ERRORS.NO_SUCH_USER.wire });
  });

  test('may change the case of one’s own', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    expect(await alice.ask(nick('ALICE'))).toMatchObject({ type: 'ok' });
    expect(alice.session.user.name).toBe('ALICE');
    expect(harness.hub.users.size).toBe(1);
  });

  test('changes the owner’s name in what joined says', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join();
    await alice.ask(nick('alicia'));
    expect(await bob.join()).toMatchObject({ owner: 'alicia' });
  });

  test('back and forth leaves nothing behind', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    for (let i = 0; i < 50; i += 1) {
      await alice.ask(nick(`temp${i}`));
      await bob.ask(nick('alice'));
      await alice.ask(nick('bob'));
      await bob.ask(nick(`temp${i}`));
      await alice.ask(nick('alice'));
      await bob.ask(nick('bob'));
    }
    alice.leave();
    bob.leave();
    expect(harness.hub.users.size).toBe(0);
  });
});

describe('a private message', () => {
  test('goes to every session of one person and to nobody else', async () => {
    const harness = new HubHarness();
    const [alice, bob, bobsPhone, carol] = [
      await harness.enter('alice'),
      await harness.enter('bob'),
      await harness.enter('bob'),
      await harness.enter('carol'),
    ];
    const id = newId();
    const answer = await alice.ask(tell('BOB', 'psst', id));
    expect(answer).toEqual({ type: 'ok', req: 1, seq: null, ts: harness.clock.nowMs() });
    const message = {
      type: 'private',
      from: 'alice',
      to: 'bob',
      kind: 'text',
      id,
      body: 'psst',
      fp: alice.session.user.fp,
    };
    for (const guest of [bob, bobsPhone]) expect(guest.seen('private')).toEqual([expect.objectContaining(message)]);
    expect([...carol.seen('private'), ...alice.seen('private')]).toEqual([]);
  });

  test('that is resent is answered again and not delivered twice', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    const id = newId();
    const first = await alice.ask(tell('bob', 'psst', id));
    alice.leave();
    await harness.pass(5_000);
    const again = await (await harness.enter('alice')).ask(tell('bob', 'psst', id));
    expect(again).toMatchObject({ type: 'ok', ts: (first as { ts: number }).ts });
    expect(bob.seen('private')).toHaveLength(1);
  });

  test('of somebody else with the same id is another', async () => {
    const harness = new HubHarness();
    const [alice, bob, carol] = [
      await harness.enter('alice'),
      await harness.enter('bob'),
      await harness.enter('carol'),
    ];
    const id = newId();
    await alice.ask(tell('bob', 'one', id));
    await carol.ask(tell('bob', 'other', id));
    expect(bob.seen('private').map(({ body }) => body)).toEqual(['one', 'other']);
  });

  test('to nobody is refused, and may be sent again when they are there', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const id = newId();
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ code: ERRORS.NO_SUCH_USER.wire });
    const bob = await harness.enter('bob');
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ type: 'ok' });
    expect(bob.seen('private')).toHaveLength(1);
  });

  test('to somebody who does not read is refused instead of filling the memory', async () => {
    const harness = new HubHarness();
    const [alice, bob, bobsPhone] = [
      await harness.enter('alice'),
      await harness.enter('bob'),
      await harness.enter('bob'),
    ];
    bobsPhone.isFull = true;
    const id = newId();
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ code: ERRORS.NOT_DELIVERED.wire });
    expect([...bob.seen('private'), ...bobsPhone.seen('private')]).toEqual([]);
    bobsPhone.isFull = false;
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ type: 'ok' });
  });
});

describe('a body', () => {
  test('may have as many bytes as the server says, in a room and in private', async () => {
    const harness = new HubHarness({ maxBodyBytes: 30 });
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join();
    for (const fits of ['x'.repeat(30), '日'.repeat(10), '😀'.repeat(7)]) {
      expect(await alice.say(fits)).toMatchObject({ type: 'ok' });
      expect(await alice.ask(tell('bob', fits))).toMatchObject({ type: 'ok' });
    }
    for (const long of ['x'.repeat(31), `日${'日'.repeat(10)}`, '😀'.repeat(8)]) {
      const code = ERRORS.MESSAGE_TOO_LARGE.wire;
      expect(await alice.say(long)).toMatchObject({ code, text: expect.stringContaining('at most 30') });
      expect(await alice.ask(tell('bob', long))).toMatchObject({ code });
    }
    expect(bob.seen('private')).toHaveLength(3);
  });

  test('of an action arrives as one', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.join();
    await bob.join();
    await alice.ask({ type: 'say', id: newId(), again: false, room: 'den' as RoomName, kind: 'action', body: 'waves' });
    await alice.ask({ ...tell('bob', 'winks'), kind: 'action' } as Ask);
    expect(bob.seen('message')).toMatchObject([{ kind: 'action', body: 'waves' }]);
    expect(bob.seen('private')).toMatchObject([{ kind: 'action', body: 'winks' }]);
    await bob.ask({ type: 'history', room: 'den' as RoomName, after: 0, before: null, sinceMs: null, limit: 1 });
    expect(bob.seen('history')[0]?.messages).toMatchObject([{ kind: 'action', body: 'waves' }]);
  });
});

test('a handler that throws is answered as an error of ours, and the session goes on', async () => {
  const harness = new HubHarness();
  const alice = await harness.enter('alice');
  await alice.join();
  harness.store.read = () => {
    throw new TypeError('secret detail');
  };
  const history: Ask = { type: 'history', room: 'den' as RoomName, after: null, before: null, sinceMs: null, limit: 1 };
  const answer = await alice.ask(history);
  expect(answer).toMatchObject({ code: ERRORS.INTERNAL.wire, text: ERRORS.INTERNAL.message });
  expect(harness.log.text).toContain('secret detail');
  expect(await alice.say('still here')).toMatchObject({ type: 'ok' });
});
