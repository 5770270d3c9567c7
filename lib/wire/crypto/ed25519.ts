/**
 * Points of small order (1, 2, 4 and 8, with their non-canonical forms), sign bit cleared. Under such a public key a
 * signature can be made that verifies for every message, so it names nobody. They are the ones that libsodium refuses.
 */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(bytesOfHex);

/** The order of the base point, little-endian (RFC 8032 §5.1). */
const GROUP_ORDER = bytesOfHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

/** Whether an Ed25519 public key of 32 bytes is a point of small order. */
export function hasSmallOrder(publicKey: Uint8Array): boolean {
  return SMALL_ORDER.some((point) =>
    point.every((byte, i) => byte === (publicKey[i] ?? 0) % (i === 31 ? 0x80 : 0x100)),
  );
}

/** Whether the scalar of a 64-byte signature is below the group's order, as RFC 8032 §5.1.7 demands. */
export function hasCanonicalScalar(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (signature[32 + i] ?? 0) - (GROUP_ORDER[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
