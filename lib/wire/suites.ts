/** A handshake and a record cipher (PROTOCOL §4). */
export interface Suite {
  /** What travels in the opening. */
  readonly id: number;
  /** For people: the Noise protocol name and the record cipher. */
  readonly name: string;
  readonly protocolName: string;
  readonly handshake: 'XX' | 'XXhfs';
  readonly recordCipher: 'aesGcm' | 'secretbox';
  readonly isPostQuantum: boolean;
}

const CLASSIC = 'Noise_XX_25519_AESGCM_SHA256';
const HYBRID = 'Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256';

export const SUITES: readonly Suite[] = [
  {
    id: 1,
    name: `${CLASSIC} + AES-256-GCM`,
    protocolName: CLASSIC,
    handshake: 'XX',
    recordCipher: 'aesGcm',
    isPostQuantum: false,
  },
  {
    id: 2,
    name: `${HYBRID} + AES-256-GCM`,
    protocolName: HYBRID,
    handshake: 'XXhfs',
    recordCipher: 'aesGcm',
    isPostQuantum: true,
  },
  {
    id: 3,
    name: `${CLASSIC} + secretbox`,
    protocolName: CLASSIC,
    handshake: 'XX',
    recordCipher: 'secretbox',
    isPostQuantum: false,
  },
  {
    id: 4,
    name: `${HYBRID} + secretbox`,
    protocolName: HYBRID,
    handshake: 'XXhfs',
    recordCipher: 'secretbox',
    isPostQuantum: true,
  },
];

/** Every suite's id. */
export const ALL_SUITES: readonly number[] = SUITES.map((suite) => suite.id);

/** What a client asks for unless told otherwise. */
export const DEFAULT_SUITE = 4;

/** The suite of that number, or undefined. */
export function suiteOf(id: number): Suite | undefined {
  return SUITES.find((suite) => suite.id === id);
}
