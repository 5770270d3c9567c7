import { BcastError } from '../../errors.ts';
import { asciiBytes, concatBytes } from '../bytes.ts';
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

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Bytes of a binding: an Ed25519 public key and a signature. */
export const BINDING_BYTES = KEY_BYTES + SIGNATURE_BYTES;

/** Keeps this signature apart from any other that the key may ever make. */
const BINDING_CONTEXT = asciiBytes('bcast identity v1');

const FINGERPRINT_PREFIX = 'SHA256:';
const FINGERPRINT_FORM = /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/;

export function generateIdentitySeeds(crypto: CryptoProvider): IdentitySeeds {
  return { signingSeed: crypto.randomBytes(KEY_BYTES), staticSecret: crypto.randomBytes(KEY_BYTES) };
}

/** Makes the keys ready for use with `crypto`. The seeds are copied. */
export function importIdentity(crypto: CryptoProvider, seeds: IdentitySeeds): Identity {
  const signing = crypto.importSigning(seeds.signingSeed);
  const noiseStatic = crypto.importDh(seeds.staticSecret);
  const signature = crypto.sign(signing, boundMessage(noiseStatic.publicKey));
  return {
    signing,
    noiseStatic,
    binding: concatBytes([signing.publicKey, signature]),
    fingerprint: fingerprintOf(crypto, signing.publicKey),
  };
}

/** `SHA256:` and the unpadded base64 of the SHA-256 of an Ed25519 public key (32 bytes). */
export function fingerprintOf(crypto: CryptoProvider, signingPublicKey: Uint8Array): string {
  return FINGERPRINT_PREFIX + encodeBase64(crypto.sha256(signingPublicKey)).replaceAll('=', '');
}

/** Whether `text` has the form of a fingerprint. */
export function isFingerprint(text: string): boolean {
  return FINGERPRINT_FORM.test(text);
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
  if (binding.length !== BINDING_BYTES) throw unbound();
  const signingPublicKey = new Uint8Array(binding.subarray(0, KEY_BYTES));
  const key = cache && latin1Of(staticPublicKey) + latin1Of(binding);
  if (key === undefined || !cache?.has(key)) {
    const signature = binding.subarray(KEY_BYTES);
    if (!crypto.verify(signingPublicKey, boundMessage(staticPublicKey), signature)) throw unbound();
    if (key !== undefined) cache?.add(key);
  }
  return {
    signingPublicKey,
    staticPublicKey: new Uint8Array(staticPublicKey),
    fingerprint: fingerprintOf(crypto, signingPublicKey),
  };
}

/**
 * Remembers bindings that have verified, so that a peer who comes back costs no second signature check: 50 us of a
 * handshake's 290. Only what verified goes in, and what goes in is all that was verified.
 */
export interface BindingCache {
  has(key: string): boolean;
  add(key: string): void;
}

/** A cache of at most `maxEntries` bindings (about 300 bytes each) that forgets the one unused for longest. */
export function createBindingCache(maxEntries: number): BindingCache {
  const keys = new Set<string>();
  return {
    has(key) {
      // A Set remembers the order of insertion; what is used goes to the end.
      const isKnown = keys.delete(key);
      if (isKnown) keys.add(key);
      return isKnown;
    },
    add(key) {
      keys.add(key);
      if (keys.size <= maxEntries) return;
      for (const oldest of keys) {
        keys.delete(oldest);
        return;
      }
    },
  };
}

const FILE_HEADER = 'bcast identity v1 - SECRET, show it to nobody';

/** The text of a key file (to be written with mode 0600). */
export function encodeIdentityFile(seeds: IdentitySeeds): string {
  const lines = [
    FILE_HEADER,
    `signing-seed ${encodeBase64(seeds.signingSeed)}`,
    `static-secret ${encodeBase64(seeds.staticSecret)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Reads what `encodeIdentityFile` wrote. Throws CONFIG when the text is not a key file or is damaged. */
export function decodeIdentityFile(text: string): IdentitySeeds {
  const [header, signing, secret, ...rest] = text.trimEnd().split(/\r?\n/);
  if (header !== FILE_HEADER || rest.length > 0) throw notAKeyFile();
  return { signingSeed: secretOf(signing, 'signing-seed'), staticSecret: secretOf(secret, 'static-secret') };
}

function secretOf(line: string | undefined, name: string): Uint8Array {
  const encoded = line?.startsWith(`${name} `) ? line.slice(name.length + 1) : '';
  if (!/^[A-Za-z0-9+/]{43}=$/.test(encoded)) throw notAKeyFile();
  const bytes = asciiBytes(atob(encoded));
  if (encodeBase64(bytes) !== encoded) throw notAKeyFile();
  return bytes;
}

function notAKeyFile(): BcastError {
  return new BcastError('CONFIG', { text: 'The key file is damaged or is not one of bcast.' });
}

function boundMessage(staticPublicKey: Uint8Array): Uint8Array {
  return concatBytes([BINDING_CONTEXT, staticPublicKey]);
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(latin1Of(bytes));
}

function latin1Of(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function unbound(): BcastError {
  return new BcastError('HANDSHAKE_FAILED', { cause: new Error('the identity binding does not verify') });
}
