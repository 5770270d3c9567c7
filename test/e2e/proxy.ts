import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Proxy {
  readonly port: number;
  /** Connections that were made through it. */
  readonly connections: () => number;
  /** Bytes from the client that have been passed on. */
  readonly clientBytes: () => number;
  /** Passes nothing on any more, in either direction, and closes nothing. */
  freeze(): void;
  /** Cuts every connection; new ones are welcome. */
  cut(): void;
  /** From now on connections go to this port. */
  target(port: number): void;
}

/** A wire to a server that can be cut, or fall silent. */
export async function startProxy(port: number): Promise<Proxy> {
  let targetPort = port;
  let isFrozen = false;
  let [connections, clientBytes] = [0, 0];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk) => {
        if (from === client) clientBytes += chunk.length;
        if (!isFrozen) to.write(chunk);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    clientBytes: () => clientBytes,
    freeze: () => {
      isFrozen = true;
    },
    cut,
    target: (next) => {
      targetPort = next;
    },
  };
}
