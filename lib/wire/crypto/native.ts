import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto';
import { BcastError, invariant } from '../../errors.ts';
import { nodeAesGcm } from './aes-gcm.ts';
import { hmacOver } from './hmac.ts';
import { naclSecretbox } from './nacl.ts';
import type { CryptoProvider, DhKeyPair, Kem, KemKeyPair, SigningKeyPair } from './port.ts';
import { loadSodium, type Sodium } from './sodium.ts';

/**
 * node:crypto takes raw keys only as DER; these are the fixed bytes before them (RFC 8410 §4 and §7, RFC 9935 §4 and §6).
 */
const X25519_PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');
const X25519_SECRET = Buffer.from('302e020100300506032b656e04220420', 'hex');
const ED25519_PUBLIC = Buffer.from('302a300506032b6570032100', 'hex');
const ED25519_SECRET = Buffer.from('302e020100300506032b657004220420', 'hex');
const ML_KEM_768_PUBLIC = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const ML_KEM_768_SEED = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');

/** A pair held as node:crypto's own objects. */
class NodePair implements DhKeyPair, SigningKeyPair, KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: KeyObject;

  constructor(secret: KeyObject, publicPrefix: Uint8Array, publicKey: KeyObject = createPublicKey(secret)) {
    this.secret = secret;
    this.publicKey = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }).subarray(publicPrefix.length));
  }
}

export interface NativeOptions {
  /** 'off' does without sodium-native even where it is installed. */
  readonly sodium?: 'auto' | 'off';
}

/**
 * The provider for Node: AES-GCM and ML-KEM by node:crypto; X25519, Ed25519, short hashes and secretbox by sodium-native,
 * which measured faster in each, or else by node:crypto and tweetnacl.
 */
export function createNativeCrypto(options: NativeOptions = {}): CryptoProvider {
  const sodium = options.sodium === 'off' ? undefined : loadSodium();
  const sha256 = sodium === undefined ? nodeSha256 : sha256With(sodium);
  return {
    name: 'native',
    ...nodeCurves,
    secretbox: naclSecretbox,
    ...sodiumCurves(sodium),
    kem: nodeKem,
    sha256,
    hmacSha256: (key, ...parts) => hmacOver(sha256, key, parts),
    aesGcm: nodeAesGcm,
    randomBytes: (count) => randomFillSync(Buffer.alloc(count)),
  };
}

function sodiumCurves(sodium: Sodium | undefined): Partial<Omit<Sodium, 'sha256'>> {
  if (sodium === undefined) return {};
  const { sha256: _, ...curves } = sodium;
  return curves;
}

const nodeCurves: Omit<Sodium, 'sha256' | 'secretbox'> = {
  generateDh() {
    const { privateKey, publicKey } = generateKeyPairSync('x25519');
    return new NodePair(privateKey, X25519_PUBLIC, publicKey);
  },
  importDh: (secret) => new NodePair(privateKeyOf(X25519_SECRET, secret), X25519_PUBLIC),
  dh(pair, publicKey) {
    const privateKey = secretOf(pair);
    try {
      return diffieHellman({ privateKey, publicKey: publicKeyOf(X25519_PUBLIC, publicKey) });
    } catch (cause) {
      throw new BcastError('HANDSHAKE_FAILED', { cause });
    }
  },
  importSigning: (seed) => new NodePair(privateKeyOf(ED25519_SECRET, seed), ED25519_PUBLIC),
  sign: (pair, message) => sign(null, message, secretOf(pair)),
  verify: (publicKey, message, signature) => verify(null, message, publicKeyOf(ED25519_PUBLIC, publicKey), signature),
};

const nodeKem: Kem = {
  generate() {
    const { privateKey, publicKey } = generateKeyPairSync('ml-kem-768');
    return new NodePair(privateKey, ML_KEM_768_PUBLIC, publicKey);
  },
  importSeed: (seed) => new NodePair(privateKeyOf(ML_KEM_768_SEED, seed), ML_KEM_768_PUBLIC),
  encapsulate(publicKey) {
    try {
      const { ciphertext, sharedKey } = encapsulate(publicKeyOf(ML_KEM_768_PUBLIC, publicKey));
      return { ciphertext, sharedSecret: sharedKey };
    } catch (cause) {
      throw new BcastError('HANDSHAKE_FAILED', { cause });
    }
  },
  decapsulate: (pair, ciphertext) => decapsulate(secretOf(pair), ciphertext),
};

function secretOf(pair: DhKeyPair | SigningKeyPair | KemKeyPair): KeyObject {
  invariant(pair instanceof NodePair, 'a key pair is used by the provider that made it');
  return pair.secret;
}

function publicKeyOf(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });
}

function privateKeyOf(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'pkcs8' });
}

function nodeSha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return hash('sha256', parts.length === 1 && first !== undefined ? first : Buffer.concat(parts), 'buffer');
}

/** From about here on OpenSSL's SHA-256, which uses the processor's own, makes up for its dearer call. */
const SODIUM_SHA256_MAX_BYTES = 256;

const gathered = Buffer.alloc(SODIUM_SHA256_MAX_BYTES);

function sha256With(sodium: Sodium): (...parts: readonly Uint8Array[]) => Uint8Array {
  return (...parts) => {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (bytes > SODIUM_SHA256_MAX_BYTES) return nodeSha256(...parts);
    let end = 0;
    for (const part of parts) {
      gathered.set(part, end);
      end += part.length;
    }
    const digest = sodium.sha256(gathered.subarray(0, end));
    gathered.fill(0, 0, end);
    return digest;
  };
}
