import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { Endpoint } from './target.ts';

/** Connects over TLS 1.3, on `socket` if one is given; the server's certificate is verified. */
export type TlsConnector = (socket?: Socket) => Promise<TLSSocket>;

export interface TlsDialer {
  readonly connect: TlsConnector;
  /** Cipher and key exchange of the first connection, as negotiated with this target's defaults. */
  describe(): string;
}

/** The context is made once: reading a certificate for each connection would burden the load process only. */
export function createTlsDialer({ host, port, certPem }: Endpoint): TlsDialer {
  if (certPem === undefined) throw new Error('a TLS endpoint needs a certificate');
  const secureContext = createSecureContext({ ca: certPem, minVersion: 'TLSv1.3' });
  let description = '';
  return {
    connect(socket) {
      const where: ConnectionOptions = socket === undefined ? { host, port } : { socket };
      const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
      const tls = connect({ ...where, secureContext, servername: 'localhost' });
      tls.setNoDelay(true);
      tls.once('error', reject);
      tls.once('secureConnect', () => {
        tls.off('error', reject);
        description ||= describeTls(tls);
        resolve(tls);
      });
      return promise;
    },
    describe: () => description,
  };
}

function describeTls(tls: TLSSocket): string {
  const exchange = tls.getEphemeralKeyInfo();
  const group = exchange !== null && 'name' in exchange && exchange.name ? exchange.name : 'hybrid or unnamed group';
  return `${tls.getProtocol()} ${tls.getCipher().name}, ${group}`;
}

/** Hands every chunk to `onChunk`, and reports the connection's end or error to `onLost` until it is closed here. */
export function followSocket(tls: TLSSocket, onChunk: (chunk: Buffer) => void, onLost: (error: Error) => void) {
  let closedHere = false;
  tls.on('data', onChunk);
  tls.on('error', (error) => {
    if (!closedHere) onLost(error);
  });
  tls.on('close', () => {
    if (!closedHere) onLost(new Error('the server closed a connection'));
  });
  return {
    close() {
      closedHere = true;
      tls.destroy();
    },
  };
}
