import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { invariant } from '../../errors.ts';
import type { DhKeyPair, KemKeyPair, SigningKeyPair } from './port.ts';

/** A kind of key and the fixed bytes before it in DER (RFC 8410 §4 and §7, RFC 9935 §4 and §6). */
export interface KeyKind {
  readonly type: 'x25519' | 'ed25519' | 'ml-kem-768';
  readonly spki: Uint8Array;
  readonly pkcs8: Uint8Array;
}

export const X25519: KeyKind = {
  type: 'x25519',
  spki: Buffer.from('302a300506032b656e032100', 'hex'),
  pkcs8: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

export const ED25519: KeyKind = {
  type: 'ed25519',
  spki: Buffer.from('302a300506032b6570032100', 'hex'),
  pkcs8: Buffer.from('302e020100300506032b657004220420', 'hex'),
};

export const ML_KEM_768: KeyKind = {
  type: 'ml-kem-768',
  spki: Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex'),
  pkcs8: Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
};

/** How public keys pass to and from node:crypto. */
export interface PublicKeyCodec {
  import(kind: KeyKind, publicKey: Uint8Array): KeyObject;
  export(kind: KeyKind, key: KeyObject): Uint8Array;
}

/** As they are, which only later releases of Node 24 know: 11 us of an encapsulation cheaper than DER. */
const rawKeys: PublicKeyCodec = {
  import: (kind, publicKey) =>
    createPublicKey({ key: bufferOver(publicKey), format: 'raw-public', asymmetricKeyType: kind.type }),
  export: (_kind, key) => new Uint8Array(key.export({ format: 'raw-public' })),
};

/** As the end of a SubjectPublicKeyInfo, which every release knows. */
export const derKeys: PublicKeyCodec = {
  import: (kind, publicKey) =>
    createPublicKey({ key: Buffer.concat([kind.spki, publicKey]), format: 'der', type: 'spki' }),
  export: (kind, key) => new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(kind.spki.length)),
};

/** The cheapest codec that this Node knows. */
export function bestKeys(): PublicKeyCodec {
  try {
    rawKeys.import(X25519, new Uint8Array(32).fill(9));
    return rawKeys;
  } catch {
    return derKeys;
  }
}

/** A pair held as node:crypto's own objects. */
export class NodePair implements DhKeyPair, SigningKeyPair, KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: KeyObject;

  constructor(publicKey: Uint8Array, secret: KeyObject) {
    this.publicKey = publicKey;
    this.secret = secret;
  }
}

/** The pair of a raw secret: an X25519 scalar, an Ed25519 seed or an ML-KEM seed. */
export function pairOfSecret(keys: PublicKeyCodec, kind: KeyKind, raw: Uint8Array): NodePair {
  const secret = createPrivateKey({ key: Buffer.concat([kind.pkcs8, raw]), format: 'der', type: 'pkcs8' });
  return new NodePair(keys.export(kind, createPublicKey(secret)), secret);
}

/** The secret half of a pair made here; INTERNAL for a pair of another provider. */
export function secretOf(pair: DhKeyPair | SigningKeyPair | KemKeyPair): KeyObject {
  invariant(pair instanceof NodePair, 'a key pair is used by the provider that made it');
  return pair.secret;
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
