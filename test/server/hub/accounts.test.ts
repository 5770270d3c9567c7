import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../lib/errors.ts';
import type { UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, HubHarness } from './harness.ts';

const register = (password: string | null = null): Ask => ({ type: 'register', password });
const nick = (name: string): Ask => ({ type: 'nick', name: name as UserName });
const stranger = { fp: fingerprintOf('mallory'), address: '198.51.100.7' };

/** Enters, and lets the time pass that a wrong password is answered late by. */
async function outcomeOf(harness: HubHarness, name: string, options = {}): Promise<string> {
  let outcome: string | undefined;
  void harness.enter(name, options).then(
    (guest) => {
      outcome = 'in';
      guest.leave();
    },
    (error) => {
      outcome = error.code;
    },
  );
  for (let i = 0; outcome === undefined && i < 100; i += 1) await harness.pass(100);
  return outcome ?? 'nothing';
}

async function refusal(work: Promise<{ type: string; code?: number }>): Promise<ErrorCode | undefined> {
  const { code } = await work;
  return (Object.keys(ERRORS) as ErrorCode[]).find((each) => ERRORS[each].wire === code);
}

describe('a name that is registered', () => {
  test("is its key's for good, also when nobody is here", async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('Alice');
    expect(await alice.ask(register())).toMatchObject({ type: 'ok' });
    alice.leave();
    expect(await outcomeOf(harness, 'ALICE', stranger)).toBe('NAME_REGISTERED');
    const mallory = await harness.enter('mallory');
    expect(await refusal(mallory.ask(nick('aLiCe')) as never)).toBe('NAME_REGISTERED');
    expect((await harness.enter('alice')).seen('welcome')).toMatchObject([{ registered: true }]);
  });

  test('is free again once it is given up', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    expect(await refusal(alice.ask({ type: 'unregister' }) as never)).toBe('BAD_REQUEST');
    await alice.ask(register());
    expect(await alice.ask({ type: 'unregister' })).toMatchObject({ type: 'ok' });
    alice.leave();
    expect(await outcomeOf(harness, 'alice', stranger)).toBe('in');
    // The key may register as many names as before.
    const again = await new HubHarness({ maxNamesPerKey: 1 }).enter('bob');
    for (let i = 0; i < 3; i += 1) {
      expect(await again.ask(register())).toMatchObject({ type: 'ok' });
      expect(await again.ask({ type: 'unregister' })).toMatchObject({ type: 'ok' });
    }
  });

  test('opens to a password, and belongs to the new key too from then on', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    expect(await refusal(alice.ask(register('short')) as never)).toBe('BAD_REQUEST');
    await alice.ask(register('correct horse'));
    const laptop = { fp: fingerprintOf('laptop') };
    expect(await outcomeOf(harness, 'alice', laptop)).toBe('NAME_REGISTERED');
    expect(await outcomeOf(harness, 'alice', { ...laptop, password: 'wrong horse' })).toBe('AUTH_FAILED');
    expect(await outcomeOf(harness, 'alice', { ...laptop, password: 'correct horse' })).toBe('in');
    expect(await outcomeOf(harness, 'alice', laptop)).toBe('in');
  });

  test('says what each of its keys signs with, and is one user to everybody', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    const bob = await harness.enter('bob');
    await alice.ask(register('correct horse'));
    await alice.join('den');
    await bob.join('den', true);
    const laptop = await harness.enter('alice', { fp: fingerprintOf('laptop'), password: 'correct horse' });
    expect((await laptop.join('den')).role).toBe('owner');
    await laptop.say('from the laptop');
    await alice.say('from the desk');
    expect(bob.seen('message').map(({ from, fp }) => [from, fp])).toEqual([
      ['alice', fingerprintOf('laptop')],
      ['alice', fingerprintOf('alice')],
    ]);
    expect(bob.changes()).toEqual(['join bob']);
  });

  test('has its password changed by the next one', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.ask(register('the first one'));
    await alice.ask(register('the second one'));
    const other = (password: string) => outcomeOf(harness, 'alice', { fp: fingerprintOf('x'), password });
    expect(await other('the first one')).toBe('AUTH_FAILED');
    expect(await other('the second one')).toBe('in');
  });

  test('is told of when its owner is away: who it is and when it was here', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.ask(register());
    const leftMs = harness.clock.nowMs();
    alice.leave();
    await harness.pass(60_000);
    expect(await bob.ask({ type: 'whois', name: 'alice' as UserName })).toMatchObject({ type: 'ok' });
    const [found] = bob.seen('user');
    expect(found).toMatchObject({ fp: fingerprintOf('alice'), sessions: 0, sinceMs: leftMs, idleMs: 60_000 });
    expect(await refusal(bob.ask({ type: 'whois', name: 'carol' as UserName }) as never)).toBe('NO_SUCH_USER');
  });

  test('was last borne when its owner took another name', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    await alice.ask(register());
    await harness.pass(60_000);
    await alice.ask(nick('alicia'));
    const renamedMs = harness.clock.nowMs();
    await harness.pass(60_000);
    await bob.ask({ type: 'whois', name: 'alice' as UserName });
    expect(bob.seen('user').at(-1)).toMatchObject({ sessions: 0, sinceMs: renamedMs });
  });

  test('raced for by two who hold it at different times is had by one', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.ask(nick('prize'));
    await alice.ask(register());
    await alice.ask(nick('alice'));
    const bob = await harness.enter('bob');
    expect(await refusal(bob.ask(nick('prize')) as never)).toBe('NAME_REGISTERED');
    expect(await alice.ask(nick('prize'))).toMatchObject({ type: 'ok' });
  });

  test('is one of so many for a key, also when it asks in many sessions at once', async () => {
    const harness = new HubHarness({ maxNamesPerKey: 5 });
    const fp = fingerprintOf('squatter');
    const guests = await Promise.all(Array.from({ length: 20 }, (_, i) => harness.enter(`squat${i}`, { fp })));
    const asked = guests.map((guest) => guest.start(register()));
    await harness.endTurn();
    const answers = guests.flatMap((guest, i) => guest.answersTo(asked[i]?.req ?? 0));
    expect(answers.filter(({ type }) => type === 'ok')).toHaveLength(5);
    expect(await harness.hub.accounts.list()).toHaveLength(5);
  });

  test('gives what it may do to who bears it only: under another name nobody could take it back', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.ask(register());
    const { key } = alice.session.user;
    await harness.hub.accounts.update(key, (account) => ({ ...account, isAdmin: true }));
    harness.hub.noteAccount(key, await harness.hub.accounts.find(key));
    const motd: Ask = { type: 'motd', text: 'hello' };
    expect(await alice.ask(motd)).toMatchObject({ type: 'ok' });
    await alice.ask(nick('sleeper'));
    expect(await refusal(alice.ask(motd) as never)).toBe('NOT_ALLOWED');
    await alice.ask(nick('alice'));
    expect(await alice.ask(motd)).toMatchObject({ type: 'ok' });
  });
});

describe('a server for registered users', () => {
  test('lets in by key or password, and nobody else; who exists cannot be told', async () => {
    const harness = new HubHarness({ auth: 'accounts' });
    const nowMs = harness.clock.nowMs();
    await harness.hub.accounts.register('alice' as UserName, null, { password: 'correct horse', isAdmin: true, nowMs });
    for (const name of ['alice', 'nobody']) {
      expect(await outcomeOf(harness, name, stranger)).toBe('AUTH_REQUIRED');
      expect(await outcomeOf(harness, name, { ...stranger, password: 'wrong horse' })).toBe('AUTH_FAILED');
    }
    const alice = await harness.enter('alice', { password: 'correct horse' });
    expect(alice.seen('welcome')).toMatchObject([{ role: 'admin', registered: true }]);
    expect(await refusal(alice.ask(nick('free')) as never)).toBe('AUTH_REQUIRED');
    expect(await refusal(alice.ask({ type: 'unregister' }) as never)).toBe('BAD_REQUEST');
  });
});

describe('wrong passwords', () => {
  test('are answered ever later, and shut the address out for a while that is named', async () => {
    const harness = new HubHarness({ loginAttempts: 3, loginWindow: 600_000 });
    const alice = await harness.enter('alice');
    await alice.ask(register('correct horse'));
    const waits: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const before = harness.clock.monotonicMs();
      expect(await outcomeOf(harness, 'alice', { ...stranger, password: `guess ${i}` })).toBe('AUTH_FAILED');
      waits.push(harness.clock.monotonicMs() - before);
    }
    expect(waits[1]).toBeGreaterThan(waits[0] as number);
    expect(waits[2]).toBeGreaterThan(waits[1] as number);
    const { hub, clock } = harness;
    expect(hub.addressRefusal(stranger.address)).toMatchObject({ code: 'BANNED' });
    expect(hub.addressRefusal(stranger.address)?.untilMs).toBeLessThanOrEqual(clock.nowMs() + 600_000);
    expect(hub.addressRefusal('192.0.2.1')).toBeUndefined();
    await harness.pass(600_000);
    expect(hub.addressRefusal(stranger.address)).toBeUndefined();
  });

  test('of strangers do not keep the owner out, neither by key nor from where he has been', async () => {
    const harness = new HubHarness({ loginAttempts: 2 });
    const alice = await harness.enter('alice');
    await alice.ask(register('correct horse'));
    const home = { fp: fingerprintOf('laptop'), address: '203.0.113.5' };
    expect(await outcomeOf(harness, 'alice', { ...home, password: 'correct horse' })).toBe('in');
    for (let i = 0; i < 20; i += 1) {
      const address = `198.51.100.${i}`;
      expect(await outcomeOf(harness, 'alice', { ...stranger, address, password: `guess ${i}` })).toBe('AUTH_FAILED');
    }
    // Now not even the right one is heard from a new place.
    expect(
      await outcomeOf(harness, 'alice', { ...stranger, address: '198.51.100.99', password: 'correct horse' }),
    ).toBe('AUTH_FAILED');
    const other = { fp: fingerprintOf('phone'), address: home.address };
    expect(await outcomeOf(harness, 'alice', { ...other, password: 'correct horse' })).toBe('in');
    expect(await outcomeOf(harness, 'alice', { address: '198.51.100.100' })).toBe('in');
  });

  test('are counted one by one, also of those that come at once', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.ask(register('correct horse'));
    const checked: string[] = [];
    const { secrets } = harness.hub;
    const { verifyPassword } = secrets;
    secrets.verifyPassword = (password, hash) => {
      checked.push(password);
      return verifyPassword(password, hash);
    };
    const outcomes = Promise.allSettled(
      Array.from({ length: 40 }, (_, i) => harness.enter('alice', { ...stranger, password: `wrong horse ${i}` })),
    );
    for (let i = 0; i < 100; i += 1) await harness.pass(100);
    const codes = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    // Two are checked at a time.
    expect(checked.length).toBeLessThanOrEqual(6);
    expect(new Set(codes)).toEqual(new Set(['AUTH_FAILED', 'BANNED']));
  });

  test('from one network of IPv6 count together', async () => {
    const harness = new HubHarness();
    const alice = await harness.enter('alice');
    await alice.ask(register('correct horse'));
    for (let i = 0; i < 5; i += 1) {
      const wrong = { fp: fingerprintOf(`mallory ${i}`), address: `2001:db8::${i}`, password: 'wrong horse' };
      expect(await outcomeOf(harness, 'alice', wrong)).toBe('AUTH_FAILED');
    }
    expect(harness.hub.addressRefusal('2001:db8::9')).toMatchObject({ code: 'BANNED' });
    expect(harness.hub.addressRefusal('2001:db8:0:1::9')).toBeUndefined();
  });
});
