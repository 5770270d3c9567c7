import type { Socket } from 'node:net';
import { BcastError } from '../../errors.ts';
import type { Transport } from './transport.ts';

/** A transport over a socket that a server accepted (made with `pauseOnConnect: true`, or not read yet). */
export function tcpTransport(socket: Socket): Transport {
  throw new BcastError('INTERNAL', { cause: socket });
}

export interface TcpConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/** Connects. Rejects with CONNECT_FAILED, the system's error as its cause. */
export function connectTcp(options: TcpConnectOptions): Promise<Transport> {
  return Promise.reject(new BcastError('CONNECT_FAILED', { cause: options }));
}
