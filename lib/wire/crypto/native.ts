import {
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto';
import { BcastError } from '../../errors.ts';
import { concatBytes, gatherAt, totalBytes } from '../bytes.ts';
import { nodeAesGcm } from './aes-gcm.ts';
import { hmacOver } from './hmac.ts';
import { naclSecretbox } from './nacl.ts';
import {
  bestKeys,
  derKeys,
  ED25519,
  ML_KEM_768,
  NodePair,
  type PublicKeyCodec,
  pairOfSecret,
  secretOf,
  X25519,
} from './node-keys.ts';
import type { CryptoProvider, Kem } from './port.ts';
import { loadSodium, type Sodium } from './sodium.ts';

export interface NativeOptions {
  /** 'off' does without sodium-native even where it is installed. */
  readonly sodium?: 'auto' | 'off';
  /** 'der' gives node:crypto its keys as its earlier releases need them. */
  readonly keys?: 'auto' | 'der';
}

/**
 * The provider for Node: AES-GCM and ML-KEM by node:crypto; X25519, Ed25519, short hashes and secretbox by sodium-native,
 * which measured faster in each, or else by node:crypto and tweetnacl.
 */
export function createNativeCrypto(options: NativeOptions = {}): CryptoProvider {
  const sodium = options.sodium === 'off' ? undefined : loadSodium();
  const keys = options.keys === 'der' ? derKeys : bestKeys();
  const digest = sodium === undefined ? nodeDigest : shortBySodium(sodium);
  return {
    name: 'native',
    ...(sodium === undefined ? { ...nodeCurves(keys), secretbox: naclSecretbox } : sodiumCurves(sodium)),
    kem: nodeKem(keys),
    sha256: (...parts) => digest(gather(parts)),
    hmacSha256: (key, ...parts) => hmacOver(digest, key, parts),
    aesGcm: nodeAesGcm,
    randomBytes: (count) => randomFillSync(Buffer.alloc(count)),
  };
}

type Curves = Pick<CryptoProvider, 'generateDh' | 'importDh' | 'dh' | 'importSigning' | 'sign' | 'verify'>;

function sodiumCurves({ sha256: _, ...curves }: Sodium): Curves & Pick<CryptoProvider, 'secretbox'> {
  return curves;
}

function nodeCurves(keys: PublicKeyCodec): Curves {
  return {
    generateDh() {
      const { privateKey, publicKey } = generateKeyPairSync('x25519');
      return new NodePair(keys.export(X25519, publicKey), privateKey);
    },
    importDh: (secret) => pairOfSecret(keys, X25519, secret),
    dh(pair, publicKey) {
      const privateKey = secretOf(pair);
      return orFailHandshake(() => diffieHellman({ privateKey, publicKey: keys.import(X25519, publicKey) }));
    },
    importSigning: (seed) => pairOfSecret(keys, ED25519, seed),
    sign: (pair, message) => sign(null, message, secretOf(pair)),
    verify: (publicKey, message, signature) => verify(null, message, keys.import(ED25519, publicKey), signature),
  };
}

function nodeKem(keys: PublicKeyCodec): Kem {
  return {
    generate() {
      const { privateKey, publicKey } = generateKeyPairSync('ml-kem-768');
      return new NodePair(keys.export(ML_KEM_768, publicKey), privateKey);
    },
    importSeed: (seed) => pairOfSecret(keys, ML_KEM_768, seed),
    encapsulate(publicKey) {
      const { ciphertext, sharedKey } = orFailHandshake(() => encapsulate(keys.import(ML_KEM_768, publicKey)));
      return { ciphertext, sharedSecret: sharedKey };
    },
    decapsulate: (pair, ciphertext) => decapsulate(secretOf(pair), ciphertext),
  };
}

/** What OpenSSL says of a key or a result that will not do. */
function orFailHandshake<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new BcastError('HANDSHAKE_FAILED', { cause });
  }
}

function nodeDigest(message: Uint8Array): Uint8Array {
  return hash('sha256', message, 'buffer');
}

/** From about here on OpenSSL, which uses the processor's own SHA-256, makes up for its dearer call. */
const SODIUM_DIGEST_MAX_BYTES = 128;

function shortBySodium(sodium: Sodium): (message: Uint8Array) => Uint8Array {
  return (message) => (message.length <= SODIUM_DIGEST_MAX_BYTES ? sodium.sha256(message) : nodeDigest(message));
}

/** Holds the longest transcript step: a hash of 32 bytes and an encapsulation key. Nothing secret is gathered here. */
const gathered = Buffer.alloc(2_048);

/** The parts in one piece, good until the next call. */
function gather(parts: readonly Uint8Array[]): Uint8Array {
  return totalBytes(parts) > gathered.length ? concatBytes(parts) : gatherAt(parts, gathered, 0);
}
