import { BcastError, type ErrorCode } from '../../lib/errors.ts';

/** The code of the BcastError that `act` throws; undefined when it throws none. Anything else goes through. */
export function codeOf(act: () => unknown): ErrorCode | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof BcastError) return error.code;
    throw error;
  }
  return undefined;
}
