import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';

const CLIENT = new URL('../../lib/client/client.ts', import.meta.url);

/** A program that does nothing but hold a client, and closes it at the first message. */
const PROGRAM = `
const { connect } = await import('${CLIENT.href}');
const reconnect = { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: Infinity };
const client = await connect({ server: process.argv[1], user: 'bot', reconnect });
await client.join('lobby');
for await (const event of client) {
  if (event.type === 'status') console.log(event.status.state);
  if (event.type === 'message') await client.close();
}
`;

test('a program that waits for nothing but a client outlives a restart of the server, and ends when it is closed', async () => {
  const server = await startServer();
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', PROGRAM, `bcast://127.0.0.1:${server.port}?fp=${server.fingerprint}`],
    {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      env: { ...process.env, XDG_DATA_HOME: scratchDir() },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill());
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const until = async (state: string): Promise<void> => {
    for (let next = await lines.next(); next.value !== state; next = await lines.next()) {
      if (next.done) throw new Error(`it ended before it was ${state}`);
    }
  };
  await until('online');
  await server.stop();
  await until('offline');
  const again = await startServer({ port: server.port, dataDir: server.dataDir });
  await until('online');
  const alice = await enterClient(again, 'alice');
  await alice.client.join('lobby');
  await alice.client.say('lobby', 'enough');
  await until('closed');
  expect(await exited).toEqual([0, null]);
});
