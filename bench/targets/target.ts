import type { Placement } from '../machine.ts';

/** Where a server listens and by what a client knows it; sent from the bench to the load process as JSON. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The certificate to trust, for the TLS targets. */
  readonly certPem?: string;
  /** The server's fingerprint, for bcast. */
  readonly fingerprint?: string;
}

export interface StartOptions {
  readonly placement: Placement;
  /** A directory of the run's own; emptied by the bench when it ends. */
  readonly directory: string;
  readonly certificate: { readonly certFile: string; readonly keyFile: string; readonly certPem: string };
}

export interface RunningServer {
  readonly pid: number;
  readonly endpoint: Endpoint;
  /** The end of its log, for the words of a failure. */
  logTail(): string;
  stop(): Promise<void>;
}

/** Called for each message delivered; the body lies in `bytes` at `at`, and the buffer is only lent. */
export type OnBody = (bytes: Uint8Array, at: number) => void;

export interface Connection {
  close(): void;
}

export interface Publisher extends Connection {
  /** Sends `count` messages with bodies counting up from `firstSeq`, in one write. */
  publish(firstSeq: number, count: number): void;
  /** Sends one message; resolves when the server has said that it took it and has given it to the members. */
  publishAcknowledged(seq: number): Promise<void>;
}

/** The load process's side of a target. `onLost` is called when the server closes a connection or breaks its protocol. */
export interface LoadClient {
  /** Resolves when the server has confirmed that the member is in the room. */
  connectMember(room: string, onBody: OnBody): Promise<Connection>;
  connectPublisher(room: string): Promise<Publisher>;
  /** What was negotiated on the wire, for the report; known after the first connection. */
  describeWire(): string;
}

export interface Target {
  readonly name: string;
  /** Finds what the server needs, or throws saying what is missing. Returns the version for the report. */
  prepare(): string;
  start(options: StartOptions): Promise<RunningServer>;
  createClient(endpoint: Endpoint, onLost: (error: Error) => void): LoadClient;
}
