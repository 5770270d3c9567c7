import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../clock.ts';
import { closePrivateDirectory } from '../../config/private-file.ts';
import { BcastError } from '../../errors.ts';

/** One line with its request. A batch of users to import has to fit. */
export const MAX_LINE_BYTES = 1_048_576;
const MAX_CONNECTIONS = 16;
/** How long a connection may ask nothing, and take to read an answer. */
const IDLE_MS = 30_000;
const NEWLINE = 0x0a;

export interface AdminSocketOptions {
  readonly path: string;
  /** Answers one line with one line, both without their ends. Never rejects. */
  readonly answer: (line: string) => Promise<string>;
  readonly clock: Clock;
}

export interface AdminSocket {
  readonly path: string;
  /** Cuts whoever is connected. */
  close(): void;
}

/**
 * Listens on a UNIX socket that only this account can open, in a directory closed to all others. What a killed server left
 * at `path` is replaced. Rejects with CONFIG where somebody still listens, and with the system's error.
 */
export async function openAdminSocket(options: AdminSocketOptions): Promise<AdminSocket> {
  const { path } = options;
  closePrivateDirectory(dirname(path));
  const open = new Set<Socket>();
  // Half open, so that whoever asks and says that this was all still gets the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenOn(server, path);
  chmodSync(path, 0o600);
  return {
    path,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

async function listenOn(server: Server, path: string): Promise<void> {
  try {
    await listening(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await isAlive(path)) throw new BcastError('CONFIG', { text: `Another server listens on ${path}.` });
    rmSync(path, { force: true });
    await listening(server, path);
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // One that is too busy to answer is alive.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(code)));
  });
}

/** One line after another: the next is read when the answer to the last has left. */
function serve(socket: Socket, { answer, clock }: AdminSocketOptions): void {
  let held = Buffer.alloc(0);
  let isBusy = false;
  let hasEnded = false;
  let timer: Timer | undefined;

  function wait(): void {
    timer?.cancel();
    timer = clock.after(IDLE_MS, () => socket.destroy());
  }

  async function goOn(): Promise<void> {
    const end = held.indexOf(NEWLINE);
    if (end === -1 || isBusy) {
      if (held.length > MAX_LINE_BYTES) socket.destroy();
      else if (hasEnded && !isBusy) socket.end();
      return;
    }
    const line = held.toString('utf8', 0, end);
    held = held.subarray(end + 1);
    isBusy = true;
    socket.pause();
    // Some operations take their time, and that is not the client's.
    timer?.cancel();
    const text = await answer(line);
    if (socket.destroyed) return;
    wait();
    socket.write(`${text}\n`, () => {
      isBusy = false;
      socket.resume();
      void goOn();
    });
  }

  socket.on('data', (bytes: Buffer) => {
    wait();
    held = Buffer.concat([held, bytes]);
    void goOn();
  });
  socket.on('end', () => {
    hasEnded = true;
    void goOn();
  });
  socket.on('close', () => timer?.cancel());
  // Told by 'close'.
  socket.on('error', () => undefined);
  wait();
}
