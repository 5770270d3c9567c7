import { requireOwnName, type UserName } from '../protocol/names.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import { loadIdentity } from './identity-file.ts';
import type { ProfileFiles } from './profile.ts';

/** The fingerprint of this account's identity, which is made if there is none yet. Throws CONFIG as `loadIdentity` does. */
export function accountFingerprint({ identity }: ProfileFiles): string {
  return loadIdentity(identity, createNativeCrypto()).fingerprint;
}

/** A name somebody gave for themselves. Throws NAME_INVALID with the rule, and for a reserved one. */
export function chosenName(text: string): UserName {
  return requireOwnName(text);
}
