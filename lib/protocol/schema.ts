import { MAX_LIST_ROWS } from '../limits.ts';
import type { CborReader, CborWriter } from './cbor.ts';

/** A named rule of CDDL (RFC 8610). */
export interface Rule {
  readonly name: string;
  readonly is: string;
}

/** One kind of value: how it is written, read (strictly) and described in CDDL. */
export interface Field<T> {
  readonly cddl: string;
  /** The rules behind the names in `cddl`, each after those it mentions itself. */
  readonly rules: readonly Rule[];
  write(writer: CborWriter, value: T): void;
  /** Throws BAD_MESSAGE for anything but this kind. */
  read(reader: CborReader): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a shape holds fields of any value type; Infer gets each back exactly.
export type Shape = Readonly<Record<string, Field<any>>>;
export type Infer<S extends Shape> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** The same field under a name of its own. */
export function named<T>(name: string, field: Field<T>): Field<T> {
  return { ...field, cddl: name, rules: [...field.rules, { name, is: field.cddl }] };
}

export function uint(max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return {
    cddl: `0..${max}`,
    rules: [],
    write: (writer, value) => writer.uint(value),
    read: (reader) => reader.uint(max),
  };
}

export function text(maxBytes: number): Field<string> {
  return {
    cddl: `tstr .size (0..${maxBytes})`,
    rules: [],
    write: (writer, value) => writer.text(value),
    read: (reader) => reader.text(maxBytes),
  };
}

/** A byte string of exactly `length` bytes; lower-case hex in memory. */
export function hex(length: number): Field<string> {
  return {
    cddl: `bstr .size ${length}`,
    rules: [],
    write: (writer, value) => writer.hex(value),
    read: (reader) => reader.hex(length),
  };
}

/** A byte string of at most `maxBytes` bytes. */
export function blob(maxBytes: number): Field<Uint8Array> {
  return {
    cddl: `bstr .size (0..${maxBytes})`,
    rules: [],
    write(writer, value) {
      writer.head('bytes', value.length);
      writer.raw(value);
    },
    read: (reader) => reader.blob(maxBytes),
  };
}

export const bool: Field<boolean> = {
  cddl: 'bool',
  rules: [],
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.bool(),
};

export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    cddl: `${field.cddl} / null`,
    rules: field.rules,
    write: (writer, value) => (value === null ? writer.null() : field.write(writer, value)),
    read: (reader) => (reader.skipNull() ? null : field.read(reader)),
  };
}

/** One of a few words, as its place in the list. */
export function oneOf<const W extends readonly string[]>(...words: W): Field<W[number]> {
  return {
    cddl: `&(${words.map((word, i) => `${word}: ${i}`).join(', ')})`,
    rules: [],
    write: (writer, value) => writer.uint(words.indexOf(value)),
    read: (reader) => words[reader.uint(words.length - 1)] as W[number],
  };
}

/** A text of 1 to `maxBytes` bytes, refined by a parser that answers null for what it refuses. */
export function parsed<T extends string>(
  name: string,
  maxBytes: number,
  parse: (raw: string) => T | null,
  refuse: (raw: string) => Error,
): Field<T> {
  return {
    cddl: name,
    rules: [{ name, is: `tstr .size (1..${maxBytes})` }],
    write: (writer, value) => writer.text(value),
    read(reader) {
      const raw = reader.text(maxBytes);
      const value = parse(raw);
      if (value === null) throw refuse(raw);
      return value;
    },
  };
}

export function list<T>(row: Field<T>, maxRows: number = MAX_LIST_ROWS): Field<readonly T[]> {
  return {
    cddl: `[0*${maxRows} ${row.cddl}]`,
    rules: row.rules,
    write(writer, rows) {
      writer.head('array', rows.length);
      for (const value of rows) row.write(writer, value);
    },
    read(reader) {
      const count = reader.boundedArray(maxRows);
      const rows: T[] = [];
      for (let i = 0; i < count; i += 1) rows.push(row.read(reader));
      return rows;
    },
  };
}

/** An object; on the wire an array of its fields in the order written here. */
export function record<S extends Shape>(name: string, shape: S): Field<Infer<S>> {
  const fields = Object.entries(shape);
  const is = `[${fields.map(([key, { cddl }]) => `${key}: ${cddl}`).join(', ')}]`;
  return {
    cddl: name,
    rules: [...fields.flatMap(([, { rules }]) => rules), { name, is }],
    write(writer, value) {
      writer.head('array', fields.length);
      for (const [key, field] of fields) field.write(writer, value[key]);
    },
    read(reader) {
      reader.exactArray(fields.length);
      const value: Record<string, unknown> = {};
      for (const [key, field] of fields) value[key] = field.read(reader);
      return value as Infer<S>;
    },
  };
}
