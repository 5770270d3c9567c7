import { BcastError, ERRORS, type ErrorCode, errorCodeOf } from '../errors.ts';
import { asciiBytes, concatBytes } from './bytes.ts';

/** What everything in the clear begins with. */
const MAGIC = asciiBytes('BCAST');

/** The versions of this protocol spoken here. */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** `"BCAST" || version u8 || suite u8`: the Noise prologue (PROTOCOL §3). */
const PROLOGUE_BYTES = 7;

/** In the place of a version it marks a refusal. */
const REFUSAL_MARK = 0;

/** Why a responder refuses an opening. */
export type RefusalReason = 'version' | 'suite';

/** Shorter than every reply to an opening, so that the length alone tells the two apart (PROTOCOL §3). */
const MAX_REFUSAL_BYTES = 128;

const REASON_BYTES: Readonly<Record<RefusalReason, number>> = { version: 1, suite: 2 };

/** Sent in the clear to whatever is not bcast, for people: "what is on this port?". */
export const NOT_BCAST_LINE = asciiBytes('bcast: this port speaks the bcast protocol only\r\n');

/** What the first frame of an initiator asks for. */
export interface Opening {
  readonly version: number;
  readonly suite: number;
  readonly prologue: Uint8Array;
  /** Noise message 1; a view. */
  readonly message: Uint8Array;
}

export function encodePrologue(suite: number): Uint8Array {
  return concatBytes([MAGIC, Uint8Array.of(PROTOCOL_VERSION, suite)]);
}

/** The first frame's payload taken apart; undefined when it is not bcast at all. */
export function parseOpening(payload: Uint8Array): Opening | undefined {
  const version = payload[MAGIC.length];
  const suite = payload[MAGIC.length + 1];
  if (!startsWithMagic(payload) || version === undefined || suite === undefined) return undefined;
  return {
    version,
    suite,
    prologue: new Uint8Array(payload.subarray(0, PROLOGUE_BYTES)),
    message: payload.subarray(PROLOGUE_BYTES),
  };
}

/** The payload of a refusal frame, naming what is supported. */
export function encodeRefusal(reason: RefusalReason, suites: readonly number[]): Uint8Array {
  return concatBytes([
    MAGIC,
    Uint8Array.of(REFUSAL_MARK, REASON_BYTES[reason]),
    Uint8Array.of(PROTOCOL_VERSIONS.length, ...PROTOCOL_VERSIONS),
    Uint8Array.of(suites.length, ...suites),
  ]);
}

/**
 * The error that a refusal means to its receiver; undefined when `payload` is none. It comes in the clear and from anyone,
 * so it may only end the attempt, never choose another suite.
 */
export function parseRefusal(payload: Uint8Array): BcastError | undefined {
  if (payload.length > MAX_REFUSAL_BYTES || !startsWithMagic(payload)) return undefined;
  if (payload[MAGIC.length] !== REFUSAL_MARK) return undefined;
  const reason = payload[MAGIC.length + 1];
  if (reason === ADMISSION_REASON) return parseAdmissionRefusal(payload.subarray(MAGIC.length + 2));
  const versions = counted(payload, MAGIC.length + 2);
  const suites = versions && counted(payload, MAGIC.length + 3 + versions.length);
  if (versions === undefined || suites === undefined) return undefined;
  if (MAGIC.length + 4 + versions.length + suites.length !== payload.length) return undefined;
  if (reason === REASON_BYTES.version) return refusalError('version', versions);
  if (reason === REASON_BYTES.suite) return refusalError('suite', suites);
  return undefined;
}

/** Errors that a server may say before there are keys; anything else in that place is not believed. */
const ADMISSION_CODES: readonly ErrorCode[] = ['SERVER_FULL', 'ADDRESS_FULL', 'TOO_MANY_ATTEMPTS', 'BANNED'];
const ADMISSION_REASON = 3;

/** The payload of a refusal frame for a connection that is not admitted: error number u16, wait in milliseconds u32. */
export function encodeAdmissionRefusal({ code, retryAfterMs = 0 }: BcastError): Uint8Array {
  const rest = new DataView(new ArrayBuffer(6));
  rest.setUint16(0, ERRORS[code].wire ?? 0);
  rest.setUint32(2, Math.min(retryAfterMs, 0xffff_ffff));
  return concatBytes([MAGIC, Uint8Array.of(REFUSAL_MARK, ADMISSION_REASON), new Uint8Array(rest.buffer)]);
}

function parseAdmissionRefusal(rest: Uint8Array): BcastError | undefined {
  if (rest.length !== 6) return undefined;
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
  const code = errorCodeOf(view.getUint16(0));
  const retryAfterMs = view.getUint32(2);
  if (!ADMISSION_CODES.includes(code)) return undefined;
  return new BcastError(code, retryAfterMs === 0 ? {} : { retryAfterMs });
}

function refusalError(reason: RefusalReason, supported: Uint8Array): BcastError {
  const list = supported.join(', ') || 'none';
  return reason === 'version'
    ? new BcastError('VERSION_UNSUPPORTED', {
        text: `The server speaks protocol version ${list}, this client ${PROTOCOL_VERSIONS.join(', ')}.`,
      })
    : new BcastError('SUITE_UNSUPPORTED', { text: `The server accepts the encryption suites ${list}, no others.` });
}

/** `count u8` and as many bytes. */
function counted(payload: Uint8Array, offset: number): Uint8Array | undefined {
  const count = payload[offset];
  if (count === undefined || offset + 1 + count > payload.length) return undefined;
  return payload.subarray(offset + 1, offset + 1 + count);
}

function startsWithMagic(payload: Uint8Array): boolean {
  return MAGIC.every((byte, i) => payload[i] === byte);
}
