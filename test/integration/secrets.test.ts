import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SERVER_OPTIONS } from '../../lib/config/options.ts';
import { redisForTest } from '../helpers/redis.ts';
import type { TestRedis } from '../helpers/redis-server.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';
import * as planted from './secrets.ts';

const { BODY, PASSWORD, PRIVATE, PUBLISHED, WRONG_CODE, WRONG_PASSWORD, busySession, expectUntold } = planted;
const NEVER = [PASSWORD, WRONG_PASSWORD, WRONG_CODE];

test('neither the log nor the store holds a password, a code or a key, and the log nothing that was said', async () => {
  const dataDir = scratchDir();
  const server = await startServer({ dataDir, store: 'sqlite', logLevel: 'trace' });
  const codes = Object.values(await busySession(server.port));
  await server.stop();
  const never = [...NEVER, ...planted.secretsOf(readFileSync(join(dataDir, 'server_key'), 'utf8'))];
  const log = server.log.text;
  expect(log).toContain('room code rotated');
  expectUntold(log, 'log', [...never, BODY, PRIVATE, PUBLISHED], codes);
  const store = textOf(dataDir, (name) => name !== 'server_key');
  // The store is where what was said in rooms is kept, so the search would find what is there.
  expect(store.includes(BODY)).toBe(true);
  expectUntold(store, 'store', [...never, PRIVATE, PUBLISHED], codes);
});

test('Redis keeps no password, code or key, and nothing that was said to one alone; what passes by, the manual names', async () => {
  const config = { rdbcompression: 'no', 'aof-use-rdb-preamble': 'no' };
  const redis = await redisForTest({ isPersistent: true, isSettled: true, config });
  const passing = await listen(redis);
  const redisUrl = SERVER_OPTIONS.redisUrl.kind.parse(redis.url) ?? undefined;
  const options = { dataDir: scratchDir(), redisUrl, logLevel: 'trace' } as const;
  const servers = [await startServer(options), await startServer(options)];
  const [port, otherPort] = servers.map((server) => server.port);
  const codes = await busySession(port as number, otherPort);
  const kept = await keptIn(redis);
  for (const server of servers) await server.stop();
  const never = [...NEVER, ...planted.secretsOf(readFileSync(join(options.dataDir, 'server_key'), 'utf8'))];
  for (const [where, text] of [...Object.entries(kept), ...Object.entries(await writtenBy(redis))]) {
    expect(text.includes(BODY), where).toBe(true);
    expectUntold(text, where, [...never, PRIVATE, PUBLISHED], Object.values(codes));
  }
  // Between servers pass private messages and invitations, in the clear: that much docs/THREAT-MODEL.md admits.
  const passed = await passing();
  for (const seen of [BODY, PRIVATE, PUBLISHED, ...codes.invited]) expect(passed).toContain(seen);
  expectUntold(passed, 'on the way', never, [codes.made, codes.rotated]);
  const logs = servers.map(({ log }) => log.text).join('\n');
  expectUntold(logs, 'log', [...never, BODY, PRIVATE, PUBLISHED], Object.values(codes));
});

function textOf(dir: string, isMeant: (name: string) => boolean = () => true): string {
  const names = readdirSync(dir).filter(isMeant);
  return names.map((name) => readFileSync(join(dir, name), 'latin1')).join('\n');
}

/** Everything that is in Redis now, by key. */
async function keptIn({ admin }: TestRedis): Promise<Record<string, string>> {
  const keys = await admin.keys('*');
  const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
  return { dump: [...keys, ...dumps.map((dump) => dump?.toString('latin1') ?? '')].join('\n') };
}

/** What it writes to disk: all that is there, and every change there ever was. */
async function writtenBy({ admin }: TestRedis): Promise<Record<string, string>> {
  await admin.save();
  const [, dir] = (await admin.config('GET', 'dir')) as [string, string];
  return {
    'dump.rdb': textOf(dir, (name) => name.endsWith('.rdb')),
    'append-only file': textOf(join(dir, 'appendonlydir')),
  };
}

/** Hears every command that Redis gets from now on; what it returns ends that, and resolves with all of them. */
async function listen({ admin }: TestRedis): Promise<() => Promise<string>> {
  const monitor = await admin.monitor();
  let passed = '';
  monitor.on('monitor', (_time: string, words: readonly string[]) => {
    passed += `${words.join(' ')}\n`;
    if (words[1] === 'that was all') monitor.emit('all');
  });
  return async () => {
    const all = once(monitor, 'all');
    await admin.echo('that was all');
    await all;
    monitor.disconnect();
    return passed;
  };
}
