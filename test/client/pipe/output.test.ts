import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createOutput } from '../../../lib/client/pipe/output.ts';

/** A reader that takes each write only when told to. */
function slowReader(highWaterMark = 10) {
  const writes: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const stream = new Writable({
    highWaterMark,
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      waiting.push(done);
    },
  });
  return { stream, writes, take: (error?: Error) => waiting.shift()?.(error) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('createOutput', () => {
  test('writes each line in one call and does not wait while the reader keeps up', () => {
    const writes: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        writes.push(String(chunk));
        done();
      },
    });
    const output = createOutput(stream, () => {});
    expect(output.write('one')).toBeUndefined();
    expect(output.write('two')).toBeUndefined();
    expect(writes).toEqual(['one\n', 'two\n']);
  });

  test('holds the writer until a slow reader has read', async () => {
    const { stream, writes, take } = slowReader();
    const output = createOutput(stream, () => {});
    let isFree = false;
    const wait = output.write('0123456789')?.then(() => {
      isFree = true;
    });
    await turn();
    expect(isFree).toBe(false);
    take();
    await wait;
    expect(writes).toEqual(['0123456789\n']);
  });

  test('flushes what never went over the mark', async () => {
    const { stream, take } = slowReader(1_000);
    const output = createOutput(stream, () => {});
    void output.write('a');
    void output.write('b');
    let isFlushed = false;
    const flushed = output.flush().then(() => {
      isFlushed = true;
    });
    take();
    await turn();
    expect(isFlushed).toBe(false);
    take();
    await turn();
    take();
    await flushed;
  });

  test('lets everybody go on when the reader has left, and says so once', async () => {
    const { stream, take } = slowReader();
    const failures: Error[] = [];
    const output = createOutput(stream, (error) => failures.push(error));
    const wait = output.write('0123456789');
    take(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await wait;
    expect(output.gone.aborted).toBe(true);
    expect(output.write('more')).toBeUndefined();
    await output.flush();
    expect(failures).toEqual([]);
  });

  test('reports any other failure, such as a full disk', async () => {
    const { stream, take } = slowReader();
    const failures: Error[] = [];
    const output = createOutput(stream, (error) => failures.push(error));
    const wait = output.write('0123456789');
    take(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    await wait;
    expect(failures.map(({ message }) => message)).toEqual(['no space']);
  });
});
