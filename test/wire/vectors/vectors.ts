import { readFileSync } from 'node:fs';
import type { ErrorCode } from '../../../lib/errors.ts';

/** docs/vectors/handshakes.json as it is written; all bytes are hexadecimal. */
export interface VectorFile {
  readonly about: string;
  readonly handshakes: readonly HandshakeVector[];
  readonly mustFail: readonly MustFailVector[];
}

export interface PartyVector {
  readonly signingSeed: string;
  readonly staticSecret: string;
  readonly ephemeralSecret: string;
  readonly signingPublic: string;
  readonly staticPublic: string;
  readonly ephemeralPublic: string;
  readonly binding: string;
  readonly fingerprint: string;
}

export interface KemVector {
  /** d || z of the initiator's key generation (FIPS 203, algorithm 16). */
  readonly initiatorSeed: string;
  /** m of the responder's encapsulation (FIPS 203, algorithm 17). */
  readonly responderRandomness: string;
  readonly encapsulationKey: string;
  readonly ciphertext: string;
  readonly sharedSecret: string;
}

export interface RecordVector {
  readonly from: 'initiator' | 'responder';
  readonly counter: number;
  readonly plaintext: string;
  readonly frame: string;
}

export interface HandshakeVector {
  readonly suite: number;
  readonly protocolName: string;
  readonly prologue: string;
  readonly initiator: PartyVector;
  readonly responder: PartyVector;
  readonly kem: KemVector | null;
  readonly openingFrame: string;
  readonly replyFrame: string;
  readonly finishFrame: string;
  readonly handshakeHash: string;
  readonly initiatorKey: string;
  readonly responderKey: string;
  readonly records: readonly RecordVector[];
}

/** What a party with the secrets of the suite's handshake vector must not take. */
export interface MustFailVector {
  readonly name: string;
  readonly suite: number;
  readonly role: 'initiator' | 'responder';
  /** The frames it gets; the last is the wrong one. */
  readonly receives: readonly string[];
  /** What it says to that last one, before it closes. */
  readonly answer: string;
  readonly error: ErrorCode;
}

export const VECTOR_FILE = new URL('../../../docs/vectors/handshakes.json', import.meta.url);

export function readVectors(): VectorFile {
  return JSON.parse(readFileSync(VECTOR_FILE, 'utf8')) as VectorFile;
}
