import { once } from 'node:events';
import { connect } from 'node:net';

const LF = 0x0a;

/** One command to the Redis on that port of the loopback address, on a connection of its own; throws what it refuses. */
export async function askRedis(port: number, ...words: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  socket.write(`*${words.length}\r\n${parts.join('')}`);
  let reply = Buffer.alloc(0);
  try {
    while (!isWhole(reply)) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      reply = Buffer.concat([reply, chunk]);
    }
  } finally {
    socket.destroy();
  }
  if (reply.toString('latin1', 0, 1) === '-') throw new Error(`Redis: ${reply.toString().slice(1).trim()}`);
  return reply.toString();
}

/** A line, or a bulk string behind a line that begins with `$` and says its length. */
function isWhole(reply: Buffer): boolean {
  const lineEnd = reply.indexOf(LF);
  if (lineEnd === -1) return false;
  const bulk = /^\$(\d+)/.exec(reply.toString('latin1', 0, lineEnd));
  return bulk === null || reply.length >= lineEnd + 1 + Number(bulk[1]) + 2;
}

/** What a Redis has counted since it was started. */
export interface RedisCounters {
  /** Calls of scripts by their digest. */
  readonly scripts: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The memory it uses now, as it counts it. */
  readonly usedBytes: number;
}

export async function readRedisCounters(port: number): Promise<RedisCounters> {
  const info = await askRedis(port, 'INFO', 'everything');
  const figure = (pattern: RegExp) => Number(pattern.exec(info)?.[1] ?? 0);
  return {
    scripts: figure(/^cmdstat_evalsha:calls=(\d+)/m),
    bytesIn: figure(/^total_net_input_bytes:(\d+)/m),
    bytesOut: figure(/^total_net_output_bytes:(\d+)/m),
    usedBytes: figure(/^used_memory:(\d+)/m),
  };
}
