import { ROOM_CODE_CHARS } from '../limits.ts';
import { hashPassword, verifyPassword } from '../wire/crypto/password.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Secrets } from './hub/ports.ts';

const CODE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Bytes from here on would make some characters likelier than others. */
const FAIR_BYTES = 256 - (256 % CODE_ALPHABET.length);

/** Sets the key of room codes apart from whatever else is made of the server key. */
const CODE_CONTEXT = Buffer.from('bcast room code v1');

/** `codeKey`: 32 secret bytes, the same on all nodes of a network and never in its store. */
export function createSecrets(crypto: CryptoProvider, codeKey: Uint8Array): Secrets {
  return {
    newRoomCode: () => newRoomCode((length) => crypto.randomBytes(length)),
    // The digest is what is compared, so how long a comparison takes tells nothing of the code.
    codeDigest(room, code) {
      const message = crypto.sha256(Buffer.from(JSON.stringify([room, code])));
      return Buffer.from(crypto.hmacSha256(codeKey, CODE_CONTEXT, message)).toString('base64');
    },
    hashPassword,
    verifyPassword,
  };
}

/** Each of the 36^5 codes is as likely as the others. */
function newRoomCode(randomBytes: (length: number) => Uint8Array): string {
  let code = '';
  while (code.length < ROOM_CODE_CHARS) {
    for (const byte of randomBytes(16)) {
      if (byte < FAIR_BYTES && code.length < ROOM_CODE_CHARS) code += CODE_ALPHABET[byte % CODE_ALPHABET.length];
    }
  }
  return code;
}
