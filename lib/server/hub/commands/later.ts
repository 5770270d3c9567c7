import { BcastError } from '../../../errors.ts';

export function handleLater(): never {
  throw new BcastError('BAD_REQUEST', { text: 'This server cannot do that yet.' });
}
