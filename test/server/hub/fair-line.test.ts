import { describe, expect, test } from 'vitest';
import { FairLine } from '../../../lib/server/hub/fair-line.ts';
import { Line } from '../../../lib/server/hub/line.ts';

describe('a line', () => {
  test('has its oldest at hand, whatever was added and taken out', () => {
    const line = new Line<number>();
    const plain: number[] = [];
    const random = randomOf(7);
    for (let i = 0; i < 20_000; i += 1) {
      const item = random(50);
      const at = plain.indexOf(item);
      if (at < 0) {
        plain.push(item);
        line.add(item);
      } else {
        plain.splice(at, 1);
        line.delete(item);
      }
      // Not each time: what was looked at before may be gone, or back at the end.
      if (random(3) === 0) expect(line.first).toBe(plain[0]);
      expect(line.size).toBe(plain.length);
    }
  });

  test('begins again after it was empty', () => {
    const line = new Line<string>();
    line.add('one');
    expect(line.first).toBe('one');
    line.delete('one');
    expect(line.first).toBeUndefined();
    line.add('one');
    expect(line.first).toBe('one');
  });
});

describe('a fair line', () => {
  test('gives the oldest of all while nobody has more than a few', () => {
    const line = new FairLine<string>();
    for (const item of ['a1', 'b1', 'b2', 'b3', 'b4']) line.add(item, [item.charAt(0)]);
    expect(drain(line, 3)).toEqual(['a1', 'b1', 'b2']);
  });

  test('gives the oldest of whoever has most, down to what others have', () => {
    const line = new FairLine<string>();
    const items = ['a1', 'a2', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'];
    for (const item of items) line.add(item, [item.charAt(0)]);
    // c has 7, then both have 6, then 5; with 4 each only age counts.
    expect(drain(line, 5)).toEqual(['c1', 'b1', 'c2', 'b2', 'c3'].sort());
    expect(drain(line, 3)).toEqual(['a1', 'a2', 'b3']);
  });

  test('looks at the owners of the widest owner in the same way', () => {
    const line = new FairLine<string>();
    for (const item of ['quiet', 'calm']) line.add(item, ['here', item]);
    for (let i = 0; i < 6; i += 1) line.add(`loud${i}`, ['here', 'loud']);
    for (let i = 0; i < 7; i += 1) line.add(`there${i}`, ['there', `key${i}`]);
    expect(take(line)).toBe('loud0');
    // A new key for each makes no difference: the place is the same.
    expect(drain(line, 3)).toEqual(['loud1', 'there0', 'there1']);
    expect(line.size).toBe(11);
  });

  test('does as a slow one does that counts each time', () => {
    const line = new FairLine<number>();
    const all = new Map<number, string>();
    const random = randomOf(11);
    for (let i = 0; i < 5_000; i += 1) {
      const owner = `owner${Math.floor(random(100) ** 2 / 1_000)}`;
      all.set(i, owner);
      line.add(i, [owner]);
      if (random(5) < 2) {
        const [victim] = [...all.keys()].slice(random(all.size));
        line.delete(victim as number, [all.get(victim as number) as string]);
        all.delete(victim as number);
      }
      if (random(5) >= 2) continue;
      const first = line.first as number;
      const counts = new Map<string, number>();
      for (const each of all.values()) counts.set(each, (counts.get(each) ?? 0) + 1);
      const most = Math.max(...counts.values());
      const chosen = all.get(first) as string;
      const oldest = [...all].find(([, each]) => most <= 4 || each === chosen)?.[0];
      expect([first, most <= 4 || counts.get(chosen) === most]).toEqual([oldest, true]);
      line.delete(first, [chosen]);
      all.delete(first);
    }
  });

  function take(line: FairLine<string>): string {
    const item = line.first as string;
    line.delete(item, ownersOf(item));
    return item;
  }

  function drain(line: FairLine<string>, count: number): string[] {
    return Array.from({ length: count }, () => take(line)).sort();
  }

  function ownersOf(item: string): string[] {
    if (item.startsWith('there')) return ['there', item.replace('there', 'key')];
    if (item.length > 2) return ['here', item.replace(/\d/, '')];
    return [item.charAt(0)];
  }
});

/** Numbers below `most` that are the same in each run. */
function randomOf(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % most;
  };
}
