import { BcastError } from '../../errors.ts';
import type { CryptoProvider, DhKeyPair, SigningKeyPair } from './port.ts';

/** What an identity is made of and what its key file keeps: two secrets of 32 bytes. */
export interface IdentitySeeds {
  /** Ed25519 seed. */
  readonly signingSeed: Uint8Array;
  /** X25519 secret scalar. */
  readonly staticSecret: Uint8Array;
}

/** Who somebody is: a signing key, and a Noise static key signed by it. Held by its owner. */
export interface Identity {
  readonly signing: SigningKeyPair;
  readonly noiseStatic: DhKeyPair;
  /** What the handshake carries to prove that the two belong together: signing key (32) || signature (64). */
  readonly binding: Uint8Array;
  /** `SHA256:` and 43 characters of unpadded base64, as with ssh. */
  readonly fingerprint: string;
}

/** What is known of the other end once its binding has verified. */
export interface PeerIdentity {
  readonly signingPublicKey: Uint8Array;
  readonly staticPublicKey: Uint8Array;
  readonly fingerprint: string;
}

/** Bytes of a binding: an Ed25519 public key and a signature. */
export const BINDING_BYTES = 96;

/** Remembers bindings that have verified, so that a peer that comes back costs no second signature check. */
export interface BindingCache {
  has(key: string): boolean;
  add(key: string): void;
}

export function generateIdentitySeeds(crypto: CryptoProvider): IdentitySeeds {
  throw new BcastError('INTERNAL');
}

/** Makes the keys ready for use with `crypto`. The seeds are copied. */
export function importIdentity(crypto: CryptoProvider, seeds: IdentitySeeds): Identity {
  throw new BcastError('INTERNAL');
}

/** The text of a key file (to be written with mode 0600). */
export function encodeIdentityFile(seeds: IdentitySeeds): string {
  throw new BcastError('INTERNAL');
}

/** Reads what `encodeIdentityFile` wrote. Throws CONFIG when the text is not a key file or is damaged. */
export function decodeIdentityFile(crypto: CryptoProvider, text: string): IdentitySeeds {
  throw new BcastError('INTERNAL');
}

/** `SHA256:` and the unpadded base64 of the SHA-256 of an Ed25519 public key (32 bytes). */
export function fingerprintOf(crypto: CryptoProvider, signingPublicKey: Uint8Array): string {
  throw new BcastError('INTERNAL');
}

/** Whether `text` has the form of a fingerprint. */
export function isFingerprint(text: string): boolean {
  throw new BcastError('INTERNAL');
}

/** A cache of at most `maxEntries` bindings that forgets the one unused for longest. */
export function createBindingCache(maxEntries: number): BindingCache {
  throw new BcastError('INTERNAL');
}

/**
 * Checks that `binding` was signed over `staticPublicKey` and says who the peer is. Throws HANDSHAKE_FAILED otherwise.
 * Both arguments are copied where they are kept.
 */
export function verifyBinding(
  crypto: CryptoProvider,
  staticPublicKey: Uint8Array,
  binding: Uint8Array,
  cache?: BindingCache,
): PeerIdentity {
  throw new BcastError('INTERNAL');
}
