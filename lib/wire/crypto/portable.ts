import { BcastError } from '../../errors.ts';
import type { CryptoProvider } from './port.ts';

/** Makes the portable provider. */
export function createPortableCrypto(): CryptoProvider {
  throw new BcastError('INTERNAL');
}
