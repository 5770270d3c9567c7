/**
 * The one door from the wire to cryptography. Two providers stand behind it, `native.ts` and `portable.ts`, and one
 * conformance suite holds them to the same behaviour. Secret keys go in once and stay inside: a provider may keep them in
 * whatever form it seals fastest with.
 */

/** An X25519 pair; the secret half stays with the provider that made it and works with no other. */
export interface DhKeyPair {
  /** 32 bytes (RFC 7748). Not to be modified. */
  readonly publicKey: Uint8Array;
}

/** An Ed25519 pair; the secret half stays with the provider that made it and works with no other. */
export interface SigningKeyPair {
  /** 32 bytes (RFC 8032). Not to be modified. */
  readonly publicKey: Uint8Array;
}

/** An ML-KEM-768 pair; the secret half stays with the provider that made it and works with no other. */
export interface KemKeyPair {
  /** The encapsulation key, 1,184 bytes (FIPS 203). Not to be modified. */
  readonly publicKey: Uint8Array;
}

/** What encapsulating to a public key gives. */
export interface Encapsulation {
  /** For the other end, 1,088 bytes. */
  readonly ciphertext: Uint8Array;
  /** For the key schedule, 32 bytes. */
  readonly sharedSecret: Uint8Array;
}

/** ML-KEM-768 (FIPS 203). */
export interface Kem {
  generate(): KemKeyPair;
  /** The pair of a fixed 64-byte seed (d || z), so that test vectors repeat. */
  importSeed(seed: Uint8Array): KemKeyPair;
  /** Throws HANDSHAKE_FAILED when `publicKey` is not a valid encapsulation key (FIPS 203 §7.2). */
  encapsulate(publicKey: Uint8Array): Encapsulation;
  /** Never fails on a forged ciphertext of the right length: the secret is then another (implicit rejection). */
  decapsulate(pair: KemKeyPair, ciphertext: Uint8Array): Uint8Array;
}

/** Sealing adds this much in every cipher here, in bytes. */
export const TAG_BYTES = 16;

/**
 * An authenticated cipher under one key. The nonce is a counter that the caller keeps; each value must be used at most
 * once a key. Counters are integers from 0 to 2^53 - 1; 2^64 - 1 is used inside `rekey` alone (Noise §4.2).
 */
export interface RecordCipher {
  /**
   * Seals the concatenation of `plaintext` and writes it to `out` from `outOffset` on: its bytes and a tag, `TAG_BYTES`
   * longer. The parts are read, not kept, and must not overlap `out`. Returns the number of bytes written. `ad` is
   * authenticated but not sealed; secretbox knows none and takes only an empty one.
   */
  sealInto(
    counter: number,
    ad: Uint8Array,
    plaintext: readonly Uint8Array[],
    out: Uint8Array,
    outOffset: number,
  ): number;
  /**
   * Opens what `sealInto` made. It may do so in place: `sealed` may be overwritten, and the result may alias it. Throws
   * BAD_FRAME when it does not verify, and then nothing was written.
   */
  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array;
  /** Replaces the key with the next (Noise §4.2 REKEY); the old one is gone. The counter is the caller's and runs on. */
  rekey(): void;
  /** Forgets the key, overwriting it where that can be done. The cipher works no more. */
  destroy(): void;
}

/** All cryptography the wire needs. Every function is synchronous and returns memory of its own unless it says so. */
export interface CryptoProvider {
  readonly name: 'native' | 'portable';

  generateDh(): DhKeyPair;
  /** The pair of a 32-byte secret scalar (clamped as RFC 7748 has it). */
  importDh(secret: Uint8Array): DhKeyPair;
  /** X25519, 32 bytes. Throws HANDSHAKE_FAILED when the result is all zero: the peer sent a point of low order. */
  dh(pair: DhKeyPair, publicKey: Uint8Array): Uint8Array;

  readonly kem: Kem;

  /** The pair of a 32-byte Ed25519 seed. */
  importSigning(seed: Uint8Array): SigningKeyPair;
  /** 64 bytes (RFC 8032, pure Ed25519). */
  sign(pair: SigningKeyPair, message: Uint8Array): Uint8Array;
  /** False for a signature that does not verify or is not canonical (S >= L), and for a public key of small order. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

  /** SHA-256 of the concatenation of `parts`. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104) of the concatenation of `parts`, at most 192 bytes. `key` is at most 64 bytes. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;

  /** AES-256-GCM with the nonce of Noise §12.3: 4 zero bytes, then the counter as u64 big-endian. `key` is copied. */
  aesGcm(key: Uint8Array): RecordCipher;
  /** NaCl secretbox; the nonce is 16 zero bytes, then the counter as u64 big-endian. `key` is copied. */
  secretbox(key: Uint8Array): RecordCipher;

  /** `count` bytes from the operating system's generator. */
  randomBytes(count: number): Uint8Array;
}
