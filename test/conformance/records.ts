import { describe, expect, test } from 'vitest';
import type { NameKey } from '../../lib/protocol/names.ts';
import type { Store } from '../../lib/server/hub/ports.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import type { CreateStore } from './store.ts';

const ROOM = 'builds' as NameKey;

/** The contract of the Records port. Every implementation passes all of it. */
export function recordsConformance(name: string, create: CreateStore): void {
  describe(`${name} as a keeper of records`, () => {
    writing(create);
    expiring(create);
    listing(create);
    rooms(create);
  });
}

function writing(create: CreateStore): void {
  test('gives back what was put, and null for what was not', async () => {
    const { store } = await fresh(create);
    const value = { name: 'ßtraße 日本 👩‍👩‍👧', list: [1, null, true, 'x'], nested: { empty: '' } };
    const version = await store.put('account', 'alice', value);
    expect(version).toBeGreaterThan(0);
    expect(await store.get('account', 'alice')).toEqual({ key: 'alice', value, version });
    expect(await store.get('account', 'bob')).toBeNull();
    expect(await store.get('identity', 'alice')).toBeNull();
  });

  test('changes the version with the value', async () => {
    const { store } = await fresh(create);
    const first = await store.put('account', 'alice', 1);
    const second = await store.put('account', 'alice', 2);
    expect(second).not.toBe(first);
    expect(await store.get('account', 'alice')).toMatchObject({ value: 2, version: second });
  });

  test('writes only over the version that was named', async () => {
    const { store } = await fresh(create);
    expect(await store.put('account', 'alice', 1, { over: 7 })).toBeNull();
    const first = (await store.put('account', 'alice', 1, { over: 0 })) as number;
    expect(await store.put('account', 'alice', 2, { over: 0 })).toBeNull();
    expect(await store.put('account', 'alice', 2, { over: first })).not.toBeNull();
    expect(await store.put('account', 'alice', 3, { over: first })).toBeNull();
    expect(await store.get('account', 'alice')).toMatchObject({ value: 2 });
  });

  test('never gives a version twice, also after a removal', async () => {
    const { store } = await fresh(create);
    const first = (await store.put('account', 'alice', 1)) as number;
    expect(await store.remove('account', 'alice')).toBe(true);
    expect(await store.put('account', 'alice', 1)).not.toBe(first);
  });

  test('lets one of many writers win', async () => {
    const { store } = await fresh(create);
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => store.put('account', 'alice', i, { over: 0 })));
    expect(all.filter((version) => version !== null)).toHaveLength(1);
    const winner = all.findIndex((version) => version !== null);
    expect(await store.get('account', 'alice')).toMatchObject({ value: winner });
  });

  test('removes what is there, of the version that was named', async () => {
    const { store } = await fresh(create);
    const version = (await store.put('ban', 'mallory', 1)) as number;
    expect(await store.remove('ban', 'mallory', version + 1)).toBe(false);
    expect(await store.remove('ban', 'mallory', version)).toBe(true);
    expect(await store.remove('ban', 'mallory')).toBe(false);
    expect(await store.get('ban', 'mallory')).toBeNull();
  });
}

function expiring(create: CreateStore): void {
  test('has no record after its end', async () => {
    const { store, clock } = await fresh(create);
    const endsMs = clock.nowMs() + 60_000;
    await store.put('ban', 'mallory', 1, { expiresMs: endsMs });
    await store.put('ban', 'oscar', 1);
    clock.advance(59_999);
    expect(await store.get('ban', 'mallory')).not.toBeNull();
    clock.advance(1);
    expect(await store.get('ban', 'mallory')).toBeNull();
    expect((await store.list('ban', { limit: 10 })).map(({ key }) => key)).toEqual(['oscar']);
    expect(await store.remove('ban', 'mallory')).toBe(false);
    expect(await store.put('ban', 'mallory', 2, { over: 0 })).not.toBeNull();
  });

  test('keeps for good what is put again without an end', async () => {
    const { store, clock } = await fresh(create);
    await store.put('ban', 'mallory', 1, { expiresMs: clock.nowMs() + 1_000 });
    await store.put('ban', 'mallory', 2);
    clock.advance(2_000);
    expect(await store.get('ban', 'mallory')).toMatchObject({ value: 2 });
  });
}

function listing(create: CreateStore): void {
  const keys = ['a', 'a/1', 'a/2', 'b', 'é', '日本', '\u{10ffff}', '\uffff'];
  // As UTF-8 compares, not as UTF-16 does.
  const inOrder = ['a', 'a/1', 'a/2', 'b', 'é', '日本', '\uffff', '\u{10ffff}'];

  test('lists keys in the order of their bytes, a page at a time, both ways', async () => {
    const { store } = await fresh(create);
    for (const key of keys) await store.put('audit', key, { key });
    const list = async (query: Parameters<Store['list']>[1]) =>
      (await store.list('audit', query)).map(({ key }) => key);
    expect(await list({ limit: 100 })).toEqual(inOrder);
    expect(await list({ limit: 100, isDescending: true })).toEqual([...inOrder].reverse());
    expect(await list({ limit: 2 })).toEqual(['a', 'a/1']);
    expect(await list({ limit: 2, after: 'a/1' })).toEqual(['a/2', 'b']);
    expect(await list({ limit: 2, after: 'b', isDescending: true })).toEqual(['a/2', 'a/1']);
    expect(await list({ limit: 10, prefix: 'a/' })).toEqual(['a/1', 'a/2']);
    expect(await list({ limit: 10, prefix: 'a/', after: 'a/1' })).toEqual(['a/2']);
    expect(await list({ limit: 10, prefix: 'a%' })).toEqual([]);
    expect(await list({ limit: 0 })).toEqual([]);
  });

  test('lists one kind, with values and versions', async () => {
    const { store } = await fresh(create);
    const version = await store.put('follow', 'alice', ['bob']);
    await store.put('account', 'carol', 1);
    expect(await store.list('follow', { limit: 10 })).toEqual([{ key: 'alice', value: ['bob'], version }]);
  });
}

function rooms(create: CreateStore): void {
  test('forgets the records of a room with it, and no others', async () => {
    const { store } = await fresh(create);
    await store.open(ROOM);
    await store.put('room', ROOM, { topic: 'x' });
    await store.put('read', ROOM, { alice: 1 });
    await store.put('account', ROOM, 1);
    await store.forget(ROOM);
    expect(await store.get('room', ROOM)).toBeNull();
    expect(await store.get('read', ROOM)).toBeNull();
    expect(await store.get('account', ROOM)).not.toBeNull();
  });
}

async function fresh(create: CreateStore) {
  const clock = new ManualClock();
  return { clock, store: await create({ keepMessages: 100, keepMs: 1e13, clock }) };
}
