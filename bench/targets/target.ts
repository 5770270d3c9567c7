import type { Placement } from '../machine.ts';
import type { Stock } from '../stock/stock.ts';

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
  /** What its store holds when it starts; only for targets that keep something. */
  readonly stock?: Stock | undefined;
}

/** One server process and where it listens. */
export interface ServerNode {
  readonly pid: number;
  readonly endpoint: Endpoint;
}

/** A Redis on the loopback address. */
export interface RedisProcess {
  readonly pid: number;
  readonly port: number;
}

export interface RunningServer {
  /** One, or several that are one network. */
  readonly nodes: readonly ServerNode[];
  /** What they share. */
  readonly redis?: RedisProcess;
  /** From the start of the first node's process until it took connections, in milliseconds; where it is measured. */
  readonly startMs?: number;
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

/** A member that asks for what is stored. */
export interface Reader extends Connection {
  /** The seqs of the oldest messages after that one, at most `limit`; all are there when it resolves. */
  page(after: number, limit: number): Promise<readonly number[]>;
  /** How many of the newest messages with these words were found, at most `limit`. */
  search(words: string, limit: number): Promise<number>;
  /** The sign of life that a client gives now and then; resolves when it was answered. */
  beat(): Promise<void>;
}

/** The load process's side of a target. `onLost` is called when the server closes a connection or breaks its protocol. */
export interface LoadClient {
  /** Resolves when the server has confirmed that the member is in the room. `node`: the place of its server. */
  connectMember(room: string, onBody: OnBody, node?: number): Promise<Connection>;
  /** On the first node. */
  connectPublisher(room: string): Promise<Publisher>;
  /** Absent where nothing is stored. */
  connectReader?(room: string): Promise<Reader>;
  /** Deliveries of messages before they were stored, so far: they come twice, which costs twice. */
  unstored?(): number;
  /** What was negotiated on the wire, for the report; known after the first connection. */
  describeWire(): string;
}

export interface Target {
  readonly name: string;
  /** Finds what the server needs, or throws saying what is missing. Returns the version for the report. */
  prepare(): string;
  start(options: StartOptions): Promise<RunningServer>;
  /** `endpoints`: one for each node. */
  createClient(endpoints: readonly Endpoint[], onLost: (error: Error) => void): LoadClient;
}
