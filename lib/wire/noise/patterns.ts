import { TAG_BYTES } from '../crypto/port.ts';

/** What a handshake message may do (Noise §7.1); `e1` and `ekem1` are those of the HFS extension, with ML-KEM-768. */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'e1' | 'ekem1';

/** The messages in order; the initiator writes the first, then they take turns (Noise §7.1). */
export interface HandshakePattern {
  readonly messages: readonly (readonly Token[])[];
}

export const XX: HandshakePattern = { messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] };

export const XXhfs: HandshakePattern = {
  messages: [
    ['e', 'e1'],
    ['e', 'ee', 'ekem1', 's', 'es'],
    ['s', 'se'],
  ],
};

/** X25519 public keys. */
export const DH_BYTES = 32;

/** ML-KEM-768 encapsulation keys and ciphertexts (FIPS 203, table 3). */
export const KEM_PUBLIC_BYTES = 1_184;
export const KEM_CIPHERTEXT_BYTES = 1_088;

/** How long a pattern's messages are without their payloads' own bytes; each is of fixed length. */
export function messageOverheads(pattern: HandshakePattern): readonly number[] {
  let hasKey = false;
  return pattern.messages.map((tokens) => {
    let bytes = 0;
    for (const token of tokens) {
      bytes += tokenBytes(token, hasKey ? TAG_BYTES : 0);
      hasKey ||= mixesKey(token);
    }
    return bytes + (hasKey ? TAG_BYTES : 0);
  });
}

function tokenBytes(token: Token, tagBytes: number): number {
  switch (token) {
    case 'e':
      return DH_BYTES;
    case 's':
      return DH_BYTES + tagBytes;
    case 'e1':
      return KEM_PUBLIC_BYTES + tagBytes;
    case 'ekem1':
      return KEM_CIPHERTEXT_BYTES + tagBytes;
    case 'ee':
    case 'es':
    case 'se':
      return 0;
  }
}

function mixesKey(token: Token): boolean {
  return token === 'ee' || token === 'es' || token === 'se' || token === 'ekem1';
}
