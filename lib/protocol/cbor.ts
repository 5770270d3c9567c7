import { BcastError } from '../errors.ts';
import { decodeHex, decodeUtf8, encodeHexInto, encodeUtf8Into, maxUtf8Bytes } from './text.ts';

/**
 * The part of CBOR (RFC 8949) that messages use, in its one deterministic form (§4.2.1): definite lengths, shortest
 * heads, no tags, no floats. Reading is driven by a schema, so nothing is built or allocated before its kind and its
 * length have been checked. docs/adr/0002 has the reason for not using a general library here, with figures.
 */
const MAJOR = { uint: 0, bytes: 2, text: 3, array: 4 } as const;
export type CborKind = keyof typeof MAJOR;

const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const TWO_32 = 0x1_0000_0000;

/** Heads with info 24 to 27: the bytes that follow, and the least number that needs so many (RFC 8949 §3). */
const LONG_HEADS: readonly { readonly size: number; readonly least: number }[] = [
  { size: 1, least: 24 },
  { size: 2, least: 0x100 },
  { size: 4, least: 0x1_0000 },
  { size: 8, least: TWO_32 },
];

function malformed(why: string): BcastError {
  return new BcastError('BAD_MESSAGE', { cause: new Error(why) });
}

/** Reads one message's values in order. It aliases `bytes`; what it returns never does. */
export class CborReader {
  #bytes: Uint8Array;
  #position = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Starts over on other bytes, so that one reader can serve a hot path. */
  reset(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#position = 0;
    this.#end = bytes.length;
  }

  /** The head's argument; throws BAD_MESSAGE unless the next item is of this kind, in shortest form and complete. */
  head(kind: CborKind): number {
    const first = this.#byte();
    if (first >> 5 !== MAJOR[kind]) throw malformed(`expected ${kind}`);
    const info = first & 0x1f;
    if (info < 24) return info;
    return this.#longHead(info);
  }

  uint(max: number): number {
    const value = this.head('uint');
    if (value > max) throw malformed('number out of range');
    return value;
  }

  /** UTF-8 of at most `maxBytes`; invalid sequences are refused, never replaced. */
  text(maxBytes: number): string {
    const start = this.#span(this.head('text'), maxBytes);
    const text = decodeUtf8(this.#bytes, start, this.#position);
    if (text === null) throw malformed('invalid UTF-8');
    return text;
  }

  /** A byte string of exactly `length` bytes, as lower-case hex. */
  hex(length: number): string {
    const start = this.#span(this.head('bytes'), length);
    if (this.#position - start !== length) throw malformed('byte string of the wrong length');
    return decodeHex(this.#bytes, start, this.#position);
  }

  /** A copy of a byte string of exactly `length` bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#span(this.head('bytes'), length);
    if (this.#position - start !== length) throw malformed('byte string of the wrong length');
    return this.#bytes.slice(start, this.#position);
  }

  /** A copy of a byte string of at most `maxBytes` bytes. */
  blob(maxBytes: number): Uint8Array {
    const start = this.#span(this.head('bytes'), maxBytes);
    return this.#bytes.slice(start, this.#position);
  }

  /** The number of items of an array that may hold at most `maxItems`. */
  boundedArray(maxItems: number): number {
    const count = this.head('array');
    if (count > maxItems) throw malformed('array too long');
    return count;
  }

  exactArray(items: number): void {
    if (this.head('array') !== items) throw malformed('array of the wrong length');
  }

  bool(): boolean {
    const first = this.#byte();
    if (first !== TRUE && first !== FALSE) throw malformed('expected true or false');
    return first === TRUE;
  }

  /** True, and past it, when the next item is null. */
  skipNull(): boolean {
    if (this.#position < this.#end && this.#bytes[this.#position] === NULL) {
      this.#position += 1;
      return true;
    }
    return false;
  }

  /** Throws BAD_MESSAGE when anything follows. */
  finish(): void {
    if (this.#position !== this.#end) throw malformed('trailing bytes');
  }

  #byte(): number {
    if (this.#position >= this.#end) throw malformed('truncated');
    return this.#bytes[this.#position++] as number;
  }

  #span(length: number, maxLength: number): number {
    if (length > maxLength) throw malformed('string too long');
    const start = this.#position;
    if (start + length > this.#end) throw malformed('truncated');
    this.#position = start + length;
    return start;
  }

  #longHead(info: number): number {
    const form = LONG_HEADS[info - 24];
    if (form === undefined) throw malformed('indefinite or reserved length');
    let value = 0;
    for (let i = 0; i < form.size; i += 1) value = value * 256 + this.#byte();
    if (value < form.least) throw malformed('not in shortest form');
    if (value > Number.MAX_SAFE_INTEGER) throw malformed('number out of range');
    return value;
  }
}

/** Writes values one after another into memory that grows as needed and is used again after `take`. */
export class CborWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 4_096) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of what was written since the last `take`; the writer is empty afterwards. */
  take(): Uint8Array {
    const copy = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return copy;
  }

  /** Forgets what was written from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Leaves four bytes for a length that `closeFrame` fills in; returns where they are. */
  openFrame(): number {
    this.#reserve(4);
    const at = this.#length;
    this.#length += 4;
    return at;
  }

  /** Writes the number of bytes since `openFrame` as u32 big-endian in front of them. */
  closeFrame(at: number): void {
    this.#view.setUint32(at, this.#length - at - 4);
  }

  head(kind: CborKind, value: number): void {
    this.#reserve(9);
    const major = MAJOR[kind] << 5;
    if (value < 24) this.#bytes[this.#length++] = major | value;
    else this.#longHead(major, value);
  }

  uint(value: number): void {
    this.head('uint', value);
  }

  text(value: string): void {
    const most = maxUtf8Bytes(value);
    this.#reserve(most + 9);
    // The head's size follows from the byte count, which is known only after encoding: assume it and move if wrong.
    const headSize = value.length < 24 ? 1 : value.length < 0x100 ? 2 : value.length < 0x1_0000 ? 3 : 5;
    const start = this.#length + headSize;
    const size = encodeUtf8Into(value, this.#bytes, start);
    const needed = size < 24 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 5;
    if (needed !== headSize) this.#bytes.copyWithin(this.#length + needed, start, start + size);
    this.head('text', size);
    this.#length += size;
  }

  /** A byte string given as lower-case hex. */
  hex(value: string): void {
    const size = value.length / 2;
    this.head('bytes', size);
    this.#reserve(size);
    encodeHexInto(value, this.#bytes, this.#length);
    this.#length += size;
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? TRUE : FALSE;
  }

  null(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = NULL;
  }

  /** Bytes that are CBOR already. */
  raw(encoded: Uint8Array): void {
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
  }

  #longHead(major: number, value: number): void {
    if (value < 0x100) {
      this.#bytes[this.#length] = major | 24;
      this.#bytes[this.#length + 1] = value;
      this.#length += 2;
    } else if (value < 0x1_0000) {
      this.#bytes[this.#length] = major | 25;
      this.#view.setUint16(this.#length + 1, value);
      this.#length += 3;
    } else if (value < TWO_32) {
      this.#bytes[this.#length] = major | 26;
      this.#view.setUint32(this.#length + 1, value);
      this.#length += 5;
    } else {
      this.#bytes[this.#length] = major | 27;
      this.#view.setUint32(this.#length + 1, Math.floor(value / TWO_32));
      this.#view.setUint32(this.#length + 5, value >>> 0);
      this.#length += 9;
    }
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
