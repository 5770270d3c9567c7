import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP relay to a local port whose connections the test can break; both ends then see a reset or an end. */
export interface CuttingProxy {
  readonly port: number;
  /** Connections made so far. */
  readonly count: number;
  /** Breaks every connection there is. */
  cut(): void;
  /** Breaks every connection and takes no other until `unblock`. */
  block(): void;
  unblock(): void;
  /** Breaks every connection on the client's side only: the server goes on believing in them. */
  orphan(): void;
  /** Breaks the connection that carries it when so many more bytes went towards the server, or came from it. */
  cutAfter(bytes: number, direction: 'up' | 'down'): void;
}

export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const orphans = new Set<Socket>();
  const fuses: { bytes: number; readonly direction: 'up' | 'down' }[] = [];
  let count = 0;
  let isBlocked = false;

  function relay(from: Socket, to: Socket, direction: 'up' | 'down', burn: () => void): void {
    from.on('data', (chunk) => {
      const fuse = fuses.find((one) => one.direction === direction);
      if (fuse !== undefined && chunk.length >= fuse.bytes) {
        fuses.splice(fuses.indexOf(fuse), 1);
        // In the middle of a record, most likely.
        to.write(chunk.subarray(0, fuse.bytes), burn);
        return;
      }
      if (fuse !== undefined) fuse.bytes -= chunk.length;
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('error', () => undefined);
    from.on('close', () => {
      if (!orphans.has(to)) to.destroy();
    });
    from.on('end', () => to.end());
  }

  const server = createServer((client) => {
    if (isBlocked) {
      client.on('error', () => undefined);
      client.destroy();
      return;
    }
    count += 1;
    const target = connect(targetPort, '127.0.0.1');
    const pair = [client, target] as const;
    const burn = (): void => {
      client.destroy();
      target.destroy();
    };
    pairs.add(pair);
    client.on('close', () => pairs.delete(pair));
    relay(client, target, 'up', burn);
    relay(target, client, 'down', burn);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const orphan = (): void => {
    for (const [client, target] of pairs) {
      orphans.add(target);
      client.destroy();
    }
  };
  onTestFinished(() => {
    server.close();
    cut();
    for (const target of orphans) target.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get count() {
      return count;
    },
    cut,
    block() {
      isBlocked = true;
      cut();
    },
    unblock() {
      isBlocked = false;
    },
    orphan,
    cutAfter: (bytes, direction) => void fuses.push({ bytes, direction }),
  };
}
