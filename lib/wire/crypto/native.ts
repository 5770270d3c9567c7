import { BcastError } from '../../errors.ts';
import type { CryptoProvider } from './port.ts';

/** Makes the native provider. */
export function createNativeCrypto(): CryptoProvider {
  throw new BcastError('INTERNAL');
}
