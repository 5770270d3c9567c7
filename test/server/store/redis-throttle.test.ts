import { expect, test } from 'vitest';
import { Throttle } from '../../../lib/server/store/redis/throttle.ts';

/** What has begun, and how to end it. */
function jobs(throttle: Throttle) {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const add = (name: string, weight: number): Promise<string> =>
    throttle.run(weight, () => {
      begun.push(name);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
      return promise;
    });
  return { begun, add, end: (name: string, error?: Error) => ends.get(name)?.(error) };
}

test('lets what fits begin at once, and the others in their order when there is space', async () => {
  const { begun, add, end } = jobs(new Throttle(10));
  const [a, b, c, d] = [add('a', 6), add('b', 4), add('c', 6), add('d', 1)];
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await b;
  expect(begun).toEqual(['a', 'b']);
  end('a');
  await a;
  await Promise.resolve();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  end('c');
  end('d');
  expect(await Promise.all([c, d])).toEqual(['c', 'd']);
});

test('lets one at a time through that is too large for it', async () => {
  const { begun, add, end } = jobs(new Throttle(10));
  const [a, b] = [add('a', 50), add('b', 50)];
  expect(begun).toEqual(['a']);
  end('a', new Error('failed'));
  await expect(a).rejects.toThrow('failed');
  await Promise.resolve();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  expect(await b).toBe('b');
});
