import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addKnownServer, findKnownServer } from '../../lib/client/known-servers.ts';
import { runParallel } from '../helpers/run-parallel.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

const A = `SHA256:${'A'.repeat(43)}`;
const B = `SHA256:${'B'.repeat(42)}A`;

function file(content?: string): string {
  const path = join(scratchDir(), 'data', 'known_servers');
  if (content !== undefined) {
    mkdirSync(join(path, '..'));
    writeFileSync(path, content);
  }
  return path;
}

describe('known servers', () => {
  test('are none when there is no file', () => {
    expect(findKnownServer(file(), 'h:1')).toBeUndefined();
  });

  test('are added to a file of one line each that only this account can read', () => {
    const path = file();
    expect(addKnownServer(path, 'h:1', A)).toEqual({ fingerprint: A, line: 1 });
    expect(addKnownServer(path, '[::1]:2', B)).toEqual({ fingerprint: B, line: 2 });
    expect(readFileSync(path, 'utf8')).toBe(`h:1 ${A}\n[::1]:2 ${B}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  test('are found among comments and blank lines, by the line number an editor shows', () => {
    const path = file(`# mine\n\n  h:1\t${A} \nh:12 ${B}\n`);
    expect(findKnownServer(path, 'h:1')).toEqual({ fingerprint: A, line: 3 });
    expect(findKnownServer(path, 'h:2')).toBeUndefined();
    expect(findKnownServer(path, '# mine')).toBeUndefined();
  });

  test('the first line for an address counts, and none is added behind it', () => {
    const path = file(`h:1 ${A}\nh:1 ${B}\n`);
    expect(findKnownServer(path, 'h:1')).toEqual({ fingerprint: A, line: 1 });
    expect(addKnownServer(path, 'h:1', B)).toEqual({ fingerprint: A, line: 1 });
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  test('a line that an editor left without an end is ended first', () => {
    const path = file(`h:1 ${A}`);
    addKnownServer(path, 'h:2', B);
    expect(findKnownServer(path, 'h:1')).toEqual({ fingerprint: A, line: 1 });
    expect(findKnownServer(path, 'h:2')).toEqual({ fingerprint: B, line: 2 });
  });

  test('a damaged line for an address is not taken for a server that is not known', () => {
    const path = file('h:1 SHA256:half\nh:2\n');
    for (const address of ['h:1', 'h:2']) {
      expect(() => findKnownServer(path, address)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
      expect(() => addKnownServer(path, address, A)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    }
  });

  test('a file that cannot be used is said to be so', () => {
    const path = file();
    mkdirSync(path, { recursive: true });
    expect(() => findKnownServer(path, 'h:1')).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    const parent = join(scratchDir(), 'plain');
    writeFileSync(parent, '');
    chmodSync(parent, 0o600);
    expect(() => addKnownServer(join(parent, 'known_servers'), 'h:1', A)).toThrow(
      expect.objectContaining({ code: 'CONFIG' }),
    );
  });

  test('added by many processes at once are all there, each whole', async () => {
    const path = file();
    await runParallel(
      6,
      (i, lib) => `
        const { addKnownServer } = await import('${lib}client/known-servers.ts');
        for (let n = 0; n < 50; n += 1) addKnownServer(${JSON.stringify(path)}, 'h${i}-' + n + ':1', '${A}');
      `,
    );
    for (let i = 0; i < 6; i += 1) {
      for (let n = 0; n < 50; n += 1) expect(findKnownServer(path, `h${i}-${n}:1`)?.fingerprint).toBe(A);
    }
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(300);
  });
});
